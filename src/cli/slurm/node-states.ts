import { refuse } from '../../config/slurm/refusal.ts';
import type { NodeRow } from './node-rows.ts';

const always = () => false;
const isBusy = ({ base }: NodeRow) => base === 'MIXED' || base === 'ALLOCATED';
const drains = ({ draining }: NodeRow) => draining;

/** States that `--states` knows, in the order in which its message names them, and which nodes are in them. */
const STATES: readonly (readonly [name: string, has: (node: NodeRow) => boolean])[] = [
  ['unknown', always],
  ['down', ({ base }) => base === 'DOWN'],
  ['idle', ({ base }) => base === 'IDLE'],
  ['allocated', ({ base }) => base === 'ALLOCATED'],
  ['?', always],
  ['mixed', ({ base }) => base === 'MIXED'],
  ['future', always],
  ['drain', drains],
  ['drained', (node) => drains(node) && !isBusy(node)],
  ['draining', (node) => drains(node) && isBusy(node)],
  ['no_respond', ({ responds }) => !responds],
  ['reserved', always],
  ['perfctrs', always],
  ['cloud', always],
  ['completing', always],
  ['powering_down', always],
  ['powered_down', always],
  ['power_down', always],
  ['powering_up', always],
  ['fail', always],
  ['maint', always],
  ['reboot', always],
  ['reboot^', always],
  ['unknown', always],
];

/** What columns call them. */
const SHORT: Readonly<Record<string, string>> = { drng: 'draining', comp: 'completing', 'mix-': 'mixed' };

/**
 * Reads `idle,alloc,drain`: names in any case, cut short as long as they begin one; with `&` several at once.
 * @returns whether a node is in any of them
 * @throws SpawnError with Slurm's words
 */
export function readNodeStates(text: string): (node: NodeRow) => boolean {
  const any = text
    .split(',')
    .filter((word) => word !== '')
    .map((word) => word.split('&').map((part) => readState(part, word)));
  return (node) => any.some((all) => all.every((has) => has(node)));
}

function readState(part: string, word: string): (node: NodeRow) => boolean {
  const lower = part.toLowerCase();
  const name = SHORT[lower] ?? lower;
  const found = STATES.find(([each]) => each === name) ?? STATES.find(([each]) => name !== '' && each.startsWith(name));
  if (found !== undefined) return found[1];
  const names = STATES.map(([each]) => each).join(',');
  throw refuse(
    [
      { form: 'error', text: `Bad state string: "${word}"` },
      { form: 'error', text: `valid states: ${names}` },
    ],
    1,
  );
}
