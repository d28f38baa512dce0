import { parseBytes } from '../../core/bytes.ts';
import { badSpecification } from './refusal.ts';

const MIB = 1_048_576;
/** Blanks and a sign before it are taken by strtol(3); the unit has no `i` and no `B` alone. */
const MEMORY = /^\s*\+?(\d{1,15}(?:[KMGT]B?)?)$/i;

/**
 * Bytes of `--mem`, `--mem-per-cpu`, `--mem-per-gpu`: M without a unit, rounded up to whole M.
 * @throws SpawnError with Slurm's words
 */
export function memoryOption(text: string, option: string): number {
  const amount = MEMORY.exec(text)?.[1];
  if (amount === undefined) throw badSpecification(option);
  let bytes: number;
  try {
    bytes = parseBytes(amount, 'M');
  } catch {
    throw badSpecification(option);
  }
  return Math.ceil(bytes / MIB) * MIB;
}
