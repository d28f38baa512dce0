import { PARTITION } from '../../api/slurm-names.ts';
import { formatHostlist } from '../../core/hostlist.ts';
import { SLURM_VERSION } from './dialect-help.ts';
import {
  compareNames,
  cpuCounts,
  longNodeState,
  type NodeRow,
  nodeCounts,
  nodeStateNumber,
  shortNodeState,
} from './node-rows.ts';
import type { Field, Fields } from './percent-format.ts';
import type { Orders } from './sort-keys.ts';

/** A line of sinfo: nodes of the partition that look alike in it; none where no node fits. */
export interface NodeGroup {
  readonly nodes: readonly NodeRow[];
}

type Value = (group: NodeGroup) => string;

/** What nodes of one line share: `always` as Slurm does, or with `--exact` alone. */
type Sharing = 'always' | 'exact';

interface NodeField {
  readonly letter: string;
  readonly names: string;
  readonly title: string;
  readonly value: Value;
  readonly shares?: Sharing;
}

const always = (text: string) => () => text;
const first =
  (of: (node: NodeRow) => string, none: string): Value =>
  ({ nodes }) =>
    nodes[0] === undefined ? none : of(nodes[0]);

/** The least, with `+` where others have more. */
const least =
  (of: (node: NodeRow) => number, text: (value: number) => string = String): Value =>
  ({ nodes }) => {
    if (nodes.length === 0) return '0';
    const values = nodes.map(of);
    const min = Math.min(...values);
    return `${text(min)}${Math.max(...values) > min ? '+' : ''}`;
  };

/** `21601-21602`; `N/A` of what nobody knows. */
const range =
  (of: (node: NodeRow) => number | undefined, text: (value: number) => string): Value =>
  ({ nodes }) => {
    const values = nodes.flatMap((node) => of(node) ?? []);
    if (values.length === 0) return 'N/A';
    const [low, high] = [text(Math.min(...values)), text(Math.max(...values))];
    return low === high ? low : `${low}-${high}`;
  };

const namesOf = ({ nodes }: NodeGroup) => formatHostlist(nodes.map(({ name }) => name).toSorted(compareNames));
const hostsOf = ({ nodes }: NodeGroup) =>
  formatHostlist([...new Set(nodes.map(({ host }) => host))].toSorted(compareNames));
const slashed = (...counts: number[]) => counts.join('/');

/** Every field of sinfo: its letter, its names for `-O`, its title. Source: sinfo of Slurm 22.05.8. */
const FIELDS: readonly NodeField[] = [
  { letter: 'a', names: 'available', title: 'AVAIL', value: always('up') },
  {
    letter: 'A',
    names: 'nodeai',
    title: 'NODES(A/I)',
    value: ({ nodes }) => slashed(nodeCounts(nodes).taken, nodeCounts(nodes).idle),
  },
  { letter: 'b', names: 'features_act', title: 'ACTIVE_FEATURES', value: always('(null)') },
  { letter: 'B', names: 'maxcpuspernode', title: 'MAX_CPUS_PER_NODE', value: always('UNLIMITED') },
  { letter: 'c', names: 'cpus', title: 'CPUS', value: least(({ cpus }) => cpus), shares: 'exact' },
  { letter: 'C', names: 'cpusstate', title: 'CPUS(A/I/O/T)', value: ({ nodes }) => allCounts(cpuCounts(nodes)) },
  { letter: 'd', names: 'disk', title: 'TMP_DISK', value: always('0') },
  { letter: 'D', names: 'nodes', title: 'NODES', value: ({ nodes }) => String(nodes.length) },
  {
    letter: 'e',
    names: 'freemem',
    title: 'FREE_MEM',
    value: range(({ freeMemory }) => freeMemory, String),
    shares: 'exact',
  },
  { letter: 'E', names: 'reason', title: 'REASON', value: first(reasonOf, 'none'), shares: 'always' },
  { letter: 'f', names: 'features', title: 'AVAIL_FEATURES', value: always('(null)') },
  { letter: 'F', names: 'nodeaiot', title: 'NODES(A/I/O/T)', value: ({ nodes }) => allCounts(nodeCounts(nodes)) },
  { letter: 'g', names: 'groups', title: 'GROUPS', value: always('all') },
  {
    letter: 'G',
    names: 'gres',
    title: 'GRES',
    value: first(({ gres }) => gres || '(null)', '(null)'),
    shares: 'always',
  },
  { letter: 'h', names: 'oversubscribe share', title: 'OVERSUBSCRIBE', value: always('NO') },
  { letter: 'H', names: 'timestamp', title: 'TIMESTAMP', value: always('Unknown') },
  { letter: 'I', names: 'priorityjobfactor', title: 'PRIO_JOB_FACTOR', value: always('1') },
  { letter: 'l', names: 'time', title: 'TIMELIMIT', value: always('infinite') },
  { letter: 'L', names: 'defaulttime', title: 'DEFAULTTIME', value: always('n/a') },
  { letter: 'm', names: 'memory', title: 'MEMORY', value: least(({ memory }) => memory), shares: 'exact' },
  { letter: 'M', names: 'preemptmode', title: 'PREEMPT_MODE', value: always('OFF') },
  { letter: 'n', names: 'nodehost', title: 'HOSTNAMES', value: hostsOf, shares: 'always' },
  { letter: 'N', names: 'nodelist', title: 'NODELIST', value: namesOf },
  { letter: 'o', names: 'nodeaddr', title: 'NODE_ADDR', value: hostsOf, shares: 'always' },
  {
    letter: 'O',
    names: 'cpusload',
    title: 'CPU_LOAD',
    value: range(
      ({ load }) => load,
      (value) => value.toFixed(2),
    ),
    shares: 'exact',
  },
  { letter: 'p', names: 'prioritytier', title: 'PRIO_TIER', value: always('1') },
  { letter: 'P', names: 'partition', title: 'PARTITION', value: always(`${PARTITION}*`) },
  { letter: 'r', names: 'root', title: 'ROOT', value: always('no') },
  { letter: 'R', names: 'partitionname', title: 'PARTITION', value: always(PARTITION) },
  { letter: 's', names: 'size', title: 'JOB_SIZE', value: always('1-infinite') },
  { letter: 'S', names: 'allocnodes', title: 'ALLOCNODES', value: always('all') },
  { letter: 't', names: 'statecompact', title: 'STATE', value: first(shortNodeState, 'n/a'), shares: 'always' },
  { letter: 'T', names: 'statelong', title: 'STATE', value: first(longNodeState, 'n/a'), shares: 'always' },
  { letter: 'u', names: 'user', title: 'USER', value: always('Unknown') },
  { letter: 'U', names: 'userlong', title: 'USER', value: always('Unknown') },
  { letter: 'v', names: 'version', title: 'VERSION', value: always(SLURM_VERSION) },
  { letter: 'V', names: 'cluster', title: 'CLUSTER', value: always('N/A') },
  { letter: 'w', names: 'weight', title: 'WEIGHT', value: always('1') },
  { letter: 'X', names: 'sockets', title: 'SOCKETS', value: least(({ cpus }) => cpus), shares: 'exact' },
  { letter: 'Y', names: 'cores', title: 'CORES', value: always('1') },
  {
    letter: 'z',
    names: 'socketcorethread',
    title: 'S:C:T',
    value: least(
      ({ cpus }) => cpus,
      (cpus) => `${cpus}:1:1`,
    ),
    shares: 'exact',
  },
  { letter: 'Z', names: 'threads', title: 'THREADS', value: always('1') },
  {
    letter: '',
    names: 'allocmem',
    title: 'ALLOCMEM',
    value: least(({ takenMemory }) => takenMemory),
    shares: 'always',
  },
  { letter: '', names: 'comment', title: 'COMMENT', value: always('(null)') },
  { letter: '', names: 'extra', title: 'EXTRA', value: always('(null)') },
  {
    letter: '',
    names: 'gresused',
    title: 'GRES_USED',
    value: first(({ takenGres }) => takenGres || '(null)', '(null)'),
    shares: 'always',
  },
  { letter: '', names: 'port', title: 'PORT', value: always('0') },
  { letter: '', names: 'statecomplete', title: 'STATECOMPLETE', value: first(longNodeState, 'n/a'), shares: 'always' },
];

function allCounts({ taken, idle, other, all }: ReturnType<typeof nodeCounts>): string {
  return slashed(taken, idle, other, all);
}

/** Why it takes no work. */
export function reasonOf({ base, draining }: NodeRow): string {
  if (base === 'DOWN') return 'Not responding';
  return draining ? 'draining' : 'none';
}

/** The fields by letter and by name. */
export const NODE_LETTERS: Fields<NodeGroup> = fieldsBy(({ letter }) => (letter === '' ? [] : [letter]));
export const NODE_NAMES: Fields<NodeGroup> = fieldsBy(({ names }) => names.split(' '));

function fieldsBy(keys: (field: NodeField) => readonly string[]): Fields<NodeGroup> {
  return Object.fromEntries(
    FIELDS.flatMap((field) => keys(field).map((key): [string, Field<NodeGroup>] => [key, field])),
  );
}

/** Nodes that one line tells of: alike in what is shown of one node alone, with `exact` also in sizes. @param each every node has its line */
export function groupNodes(
  nodes: readonly NodeRow[],
  shown: readonly Field<NodeGroup>[],
  { exact, each }: { readonly exact: boolean; readonly each: boolean },
): readonly NodeGroup[] {
  const telling = FIELDS.filter(
    (field) => shown.includes(field) && (field.shares === 'always' || (exact && field.shares === 'exact')),
  );
  const keyOf = (node: NodeRow) => (each ? node.name : telling.map(({ value }) => value({ nodes: [node] })).join('\0'));
  return [...Map.groupBy(nodes, keyOf).values()].map((alike) => ({ nodes: alike }));
}

const byNumber = (of: (group: NodeGroup) => number) => (a: NodeGroup, b: NodeGroup) => of(a) - of(b);
const byText = (of: Value) => (a: NodeGroup, b: NodeGroup) => compareNames(of(a), of(b));
const one = (of: (node: NodeRow) => number) => byNumber(({ nodes }) => (nodes[0] === undefined ? 0 : of(nodes[0])));

/** By which `--sort` may sort; of what is the same of all nodes nothing comes first. */
export const NODE_ORDERS: Orders<NodeGroup> = {
  ...Object.fromEntries([...Object.keys(NODE_LETTERS), '#'].map((letter) => [letter, () => 0])),
  A: byNumber(({ nodes }) => nodeCounts(nodes).taken),
  F: byNumber(({ nodes }) => nodeCounts(nodes).taken),
  c: one(({ cpus }) => cpus),
  D: byNumber(({ nodes }) => nodes.length),
  e: one(({ freeMemory = 0 }) => freeMemory),
  E: byText(first(reasonOf, '')),
  G: byText(first(({ gres }) => gres, '')),
  m: one(({ memory }) => memory),
  n: byText(hostsOf),
  N: byText(namesOf),
  o: byText(hostsOf),
  O: one(({ load = 0 }) => load),
  t: one(nodeStateNumber),
  T: one(nodeStateNumber),
  X: one(({ cpus }) => cpus),
  z: one(({ cpus }) => cpus),
};
