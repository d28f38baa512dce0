import { PackedReader, PackedWriter } from './packed.ts';
import { TaskState } from './task-state.ts';
import { PAGE_TASKS, type TaskTable } from './task-table.ts';

const FORMAT = 1;

/** Which lazy columns a page carries, by bit. */
const COLUMNS = ['failures', 'losses', 'reasons', 'flags', 'outcomes', 'retryTicks', 'conditions', 'lanes'] as const;
const MAKE = {
  failures: Uint16Array,
  losses: Uint16Array,
  reasons: Uint8Array,
  flags: Uint8Array,
  outcomes: Uint16Array,
  retryTicks: Uint32Array,
  conditions: Uint8Array,
  lanes: Uint8Array,
} as const;

/**
 * Packs one page of a table. Leased and running are written as ready: who holds what is stored with the grants, and laid over the pages
 * when they are loaded, so that granting and starting a task need not rewrite its page.
 */
export function packPage(table: TaskTable, page: number): Uint8Array {
  const from = page * PAGE_TASKS;
  const count = Math.min(PAGE_TASKS, table.size - from);
  const writer = new PackedWriter();
  writer.number(FORMAT);
  let bits = 0;
  for (const [bit, name] of COLUMNS.entries()) {
    if (table[name] !== undefined && hasAny(table[name], from, count)) bits |= 1 << bit;
  }
  writer.number(bits);
  writer.runs(restingStates(table.state, from, count), 0, count);
  writer.runs(table.attempts, from, count);
  for (const [bit, name] of COLUMNS.entries()) {
    if ((bits & (1 << bit)) !== 0) writer.runs(table[name]!, from, count);
  }
  return writer.bytes();
}

/** Lays a stored page into a table whose other pages are in the ground state. */
export function unpackPage(table: TaskTable, page: number, data: Uint8Array): void {
  const from = page * PAGE_TASKS;
  const count = Math.min(PAGE_TASKS, table.size - from);
  const reader = new PackedReader(data);
  const format = reader.number();
  if (format !== FORMAT) throw new RangeError(`task page has format ${format}, expected ${FORMAT}`);
  const bits = reader.number();
  const states = new Uint8Array(count);
  reader.runs(states, 0, count);
  reader.runs(table.attempts, from, count);
  for (const [bit, name] of COLUMNS.entries()) {
    if ((bits & (1 << bit)) === 0 || name === 'lanes') continue;
    table[name] ??= new MAKE[name](table.size) as never;
    reader.runs(table[name]!, from, count);
  }
  moveRuns(table, from, states);
  if ((bits & (1 << COLUMNS.indexOf('lanes'))) !== 0) layLanes(table, from, count, reader);
  table.touched[page] = 1;
}

/** The last column. Until it is laid, all tasks of the page are in lane 0. */
function layLanes(table: TaskTable, from: number, count: number, reader: PackedReader): void {
  const lanes = new Uint8Array(count);
  reader.runs(lanes, 0, count);
  for (let at = 0; at < count; ) {
    let next = at + 1;
    while (next < count && lanes[next] === lanes[at]) next++;
    table.eligible.move(from + at, next - at, lanes[at]!);
    at = next;
  }
}

/** Only what is ready may be granted: all else of a stretch moves at once, however many states there are in it. */
function moveRuns(table: TaskTable, from: number, states: Uint8Array): void {
  const { counts, state, ground } = table;
  const isReady = (at: number) => states[at] === TaskState.ready;
  let at = 0;
  while (at < states.length) {
    let next = at + 1;
    while (next < states.length && isReady(next) === isReady(at)) next++;
    const first = states[at] as TaskState;
    table.moveRun(from + at, next - at, ground, first);
    counts[first]! -= next - at;
    for (let each = at; each < next; each++) counts[states[each]!]!++;
    state.set(states.subarray(at, next), from + at);
    at = next;
  }
}

function restingStates(state: Uint8Array, from: number, count: number): Uint8Array {
  const resting = state.slice(from, from + count);
  for (let at = 0; at < count; at++) {
    if (resting[at] === TaskState.leased || resting[at] === TaskState.running) resting[at] = TaskState.ready;
  }
  return resting;
}

function hasAny(column: ArrayLike<number>, from: number, count: number): boolean {
  for (let at = from; at < from + count; at++) if (column[at] !== 0) return true;
  return false;
}
