import { badSpecification, notSubmitted } from './refusal.ts';

/** What `--gres` or `--gpus` asks for. */
export interface Gres {
  readonly gpus: number;
  /** Of the devices, when one was named. */
  readonly gpuType?: string;
  /** Other names with their amounts: what workers offer by these names. */
  readonly resources: Readonly<Record<string, number>>;
}

const MOST = 1_000_000_000;
const MAX_NAMES = 64;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1_024, m: 1_048_576, g: 1_073_741_824 };
const ITEM = /^(?:gres[:/])?([A-Za-z][\w.-]{0,62})(?:[:=]([A-Za-z][\w.-]{0,62}))?(?:[:=](\d{1,10})([kmg]?))?:?$/i;
const GPUS = /^(?:([A-Za-z][\w.-]{0,62})(?::|$))?(\d{1,7})?$/;

/**
 * Reads `gpu`, `gpu:2`, `gpu:a100:2`, `shard:4`, several by `,`; `none` and the empty text for nothing.
 * @throws SpawnError with Slurm's words
 */
export function gresOption(text: string): Gres {
  let gpus = 0;
  let gpuType: string | undefined;
  const resources = new Map<string, number>();
  for (const item of text.split(',').filter((part) => part !== '' && part !== 'none')) {
    const [, name, type, digits = '1', unit = ''] = ITEM.exec(item) ?? [];
    const count = Number(digits) * UNITS[unit.toLowerCase()]!;
    if (name === undefined || count > MOST || resources.size > MAX_NAMES) {
      throw notSubmitted('Invalid generic resource (gres) specification');
    }
    if (name.toLowerCase() === 'gpu') {
      gpus += count;
      gpuType = type ?? gpuType;
    } else {
      resources.set(name, (resources.get(name) ?? 0) + count);
    }
  }
  return { gpus, ...(gpuType === undefined ? {} : { gpuType }), resources: Object.fromEntries(resources) };
}

/**
 * Reads `[TYPE:]N` of `--gpus`, `--gpus-per-node` and `--gpus-per-task`, several by `,`; a type alone is one.
 * @throws SpawnError with Slurm's words
 */
export function gpusOption(text: string, option: string): Gres {
  let gpus = 0;
  let gpuType: string | undefined;
  for (const item of text.split(',').filter((part) => part !== '')) {
    const [whole, type, digits = '1'] = GPUS.exec(item) ?? [];
    if (whole === undefined) throw badSpecification(option);
    gpus += Number(digits);
    gpuType = type ?? gpuType;
  }
  return { gpus, ...(gpuType === undefined ? {} : { gpuType }), resources: {} };
}
