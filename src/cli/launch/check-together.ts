import { SpawnError } from '../../core/errors.ts';
import { isGiven } from './layers.ts';
import type { Given } from './options.ts';

/** Two options of which one would be ignored. */
const NOT_BOTH: readonly (readonly [keyof Given, keyof Given])[] = [
  ['count', 'array'],
  ['time', 'time-limit'],
  ['user-data', 'user-data-file'],
  ['no-timeout', 'ttl'],
  ['no-timeout', 'idle-timeout'],
  ['detach', 'wait'],
  ['detach', 'wait-for-running'],
  ['detach', 'follow'],
  ['dry-run', 'detach'],
  ['dry-run', 'wait'],
  ['dry-run', 'wait-for-running'],
  ['dry-run', 'follow'],
  ['quiet', 'format'],
  ['quiet', 'json'],
  ['quiet', 'follow'],
  ['quiet', 'dry-run'],
  ['follow', 'format'],
  ['follow', 'json'],
];

/** An option that does nothing without another. */
const NEEDS: readonly (readonly [keyof Given, keyof Given])[] = [
  ['spot-max-price', 'spot'],
  ['ttl-mode', 'ttl'],
  ['idle-cpu', 'idle-timeout'],
  ['on-idle', 'idle-timeout'],
  ['pre-stop-timeout', 'pre-stop'],
  ['unset', 'template'],
];

const MAX_TAGS = 50;

/** Refuses options that contradict each other, or that would do nothing: one of two was forgotten. */
export function checkTogether(given: Given): void {
  for (const [one, other] of NOT_BOTH) {
    if (isGiven(given[one]) && isGiven(given[other])) usage(`expected ${shown(one)} or ${shown(other)}, found both`);
  }
  for (const [name, other] of NEEDS) {
    if (isGiven(given[name]) && !isGiven(given[other]))
      usage(`${shown(name)}: expected ${shown(other)} with it, found none`);
  }
  if (given.array?.throttle !== undefined && given['max-concurrent'] !== undefined) {
    usage(`expected %${given.array.throttle} of --array or --max-concurrent, found both`);
  }
  checkTags(given.tag);
}

function checkTags(tags: Given['tag']): void {
  const keys = new Set<string>();
  for (const [key] of tags) {
    if (keys.has(key)) usage(`--tag: expected ${JSON.stringify(key)} once, found twice`);
    keys.add(key);
  }
  if (keys.size > MAX_TAGS) usage(`--tag: expected at most ${MAX_TAGS}, found ${keys.size}`);
}

function shown(name: keyof Given): string {
  return name === 'format' ? '-o json' : `--${name}`;
}

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `launch: ${message}` });
}
