import { PARTITION } from '../../api/slurm-names.ts';
import { parseHostlist } from '../../config/slurm/hostlist.ts';
import { SINFO_OPTIONS } from '../../config/slurm/query-options.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import { localZone } from '../local-zone.ts';
import type { World } from '../world.ts';
import { dateLine } from './clock-text.ts';
import { type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { iterate, iterateSeconds } from './iterate.ts';
import { groupNodes, NODE_LETTERS, NODE_NAMES, NODE_ORDERS, type NodeGroup } from './node-fields.ts';
import { type NodeRow, nodeRows } from './node-rows.ts';
import { readNodeStates } from './node-states.ts';
import { type LineFormat, readNamedFormat, readPercentFormat, rowLine, titleLine } from './percent-format.ts';
import { orderBy, readSortKeys } from './sort-keys.ts';

/** `sinfo`: the partition, and the workers as its nodes. */
export const sinfo = defineDialect({
  command: 'sinfo',
  usage: ['[options]'],
  about: 'Shows the workers as nodes of one partition.',
  options: SINFO_OPTIONS,
  async run(input, world) {
    const seconds = iterateSeconds(lastValue(input, 'iterate'), badIterate);
    if (isGiven(input, 'yaml')) throw refuse([{ form: 'error', text: '--yaml is not supported here' }], 1);
    if (isGiven(input, 'reservation')) {
      world.stdout.write('No reservations in the system\n');
      return 0;
    }
    return iterate('sinfo', seconds, world, () => show(input, world));
  },
});

function badIterate(text: string) {
  return refuse([{ form: 'error', text: `Error: invalid entry for --iterate=${text}` }], 1);
}

async function show(input: DialectInput, world: World): Promise<void> {
  const isLong = isGiven(input, 'long');
  const isEach = isGiven(input, 'Node');
  const orders = readSortKeys(lastValue(input, 'sort') ?? world.env.SINFO_SORT ?? (isEach ? 'N' : '-t'), NODE_ORDERS);
  const fits = readFits(input);
  const nodes = nodeRows(await (await world.connect()).server());
  const fitting = nodes.filter(fits);
  const format = readFormat(input, world.env, Math.max(LEAST_NAME, ...fitting.map(({ name }) => [...name].length)));
  if (isGiven(input, 'json')) {
    const { nodesText } = await import('./node-json.ts');
    return world.stdout.write(nodesText(fitting));
  }
  const shown = format.cells.flatMap(({ field }) => field ?? []);
  const options = { exact: isGiven(input, 'exact'), each: isEach };
  const groups = groupNodes(fitting, shown, options).toSorted(orderBy(orders, NODE_ORDERS));
  // A partition without a node has a line where its name is shown; a node that is not there has none.
  const isNamed = shown.some(({ title }) => title === 'PARTITION');
  const rows = groups.length > 0 || isEach || !isNamed || isGiven(input, 'list-reasons') ? groups : [{ nodes: [] }];
  if (isLong || isGiven(input, 'iterate')) world.stdout.write(`${dateLine(world.now(), localZone)}\n`);
  if (!isGiven(input, 'noheader')) world.stdout.write(titleLine(format));
  for (const row of isPartitionAsked(input, world.env) ? rows : []) world.stdout.write(rowLine(format, row));
  for (const letter of format.unknown) world.stderr.write(unknownText(input, letter));
}

function unknownText(input: DialectInput, what: string): string {
  return lastValue(input, 'Format') === undefined
    ? `Invalid node format specification: ${what}\n`
    : `sinfo: error: Invalid job format specification: ${what}\n`;
}

const SUMMARY = '%9P %.5a %.10l %.16F %N';
const PLAIN = '%9P %.5a %.10l %.6D %.6t %N';
const LONG = '%9P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %N';
const REASONS = '%20E %9u %19H %N';
const LONG_REASONS = '%20E %12U %19H %6t %N';
/** `#` is as wide as the longest name. */
const NODES = '%#N %.6D %.9P %6t';
const LONG_NODES = '%#N %.6D %.9P %.11T %4c %.8z %.6m %.8d %.6w %.8f %20E';

const LEAST_NAME = 9;

function readFormat(input: DialectInput, env: World['env'], nameWidth: number): LineFormat<NodeGroup> {
  const named = lastValue(input, 'Format');
  if (named !== undefined) return readNamedFormat(expandNames(named), NODE_NAMES);
  const own = lastValue(input, 'format');
  const standard = () => standardFormat(input, env).replace('%#N', `%${nameWidth}N`);
  return readPercentFormat(expandLetters(own ?? standard()), NODE_LETTERS);
}

function standardFormat(input: DialectInput, { SINFO_FORMAT }: World['env']): string {
  const isLong = isGiven(input, 'long');
  if (isGiven(input, 'summarize')) return SUMMARY;
  if (isGiven(input, 'Node')) return isLong ? LONG_NODES : NODES;
  if (isGiven(input, 'list-reasons')) return isLong ? LONG_REASONS : REASONS;
  return SINFO_FORMAT ?? (isLong ? LONG : PLAIN);
}

function expandLetters(text: string): string {
  const all = Object.keys(NODE_LETTERS).map((letter) => `%${letter}`);
  return text.replace('%all', all.join('|'));
}

function expandNames(text: string): string {
  return text.toLowerCase() === 'all' ? Object.keys(NODE_NAMES).join(',') : text;
}

function isPartitionAsked(input: DialectInput, { SINFO_PARTITION }: World['env']): boolean {
  const asked = lastValue(input, 'partition') ?? SINFO_PARTITION;
  return asked === undefined || asked.split(',').includes(PARTITION);
}

function readFits(input: DialectInput): (node: NodeRow) => boolean {
  const states = lastValue(input, 'states');
  const inState = states === undefined || states.toLowerCase() === 'all' ? undefined : readNodeStates(states);
  const list = lastValue(input, 'nodes');
  const names = list === undefined ? undefined : new Set(parseHostlist(list));
  const [responding, dead, reasons] = ['responding', 'dead', 'list-reasons'].map((name) => isGiven(input, name));
  return (node) =>
    (inState?.(node) ?? true) &&
    (names?.has(node.name) ?? true) &&
    (responding !== true || node.responds) &&
    (dead !== true || !node.responds) &&
    (reasons !== true || node.draining || node.base === 'DOWN');
}
