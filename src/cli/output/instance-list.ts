import type { InstanceState, InstanceView } from '../../api/instance.ts';
import { countsText } from '../../core/instance-counts.ts';
import { painter } from './color.ts';
import { cut, oneLine, shownCount } from './format.ts';
import { colourOfInstance } from './instance-states.ts';
import type { Column } from './table.ts';

const PARAMS_SHOWN = 3;
const PARAM_COLUMNS = 40;
/** Of an array with more members than this, runs in the same state are folded; of each these stay. */
const MOST_IN_FULL = 50;
const RUN_FIRST = 3;
const RUN_LAST = 1;
const LEFT_OUT = 'Not shown: what has ended. See: spawn list --state terminated; or --job-array-id ID, --name NAME';
/** Of an array, without its members. */
const HEADING_LINES = 3;
/** In which it matters why. */
const HAS_REASON: readonly InstanceState[] = ['stopping', 'stopped', 'hibernated', 'shutting-down', 'terminated'];

/** Of a list without filters, which may have a week in it. */
interface Short {
  /** Lines of the terminal: what is longer is folded. */
  readonly rows: number;
}

/**
 * Groups instances as they come, an array after the other: its lines are written when its last member is there, because the heading counts
 * them and the columns are as wide as the widest. Standalone instances come last.
 */
export class InstanceList {
  private readonly write: (text: string) => void;
  private readonly colour: boolean;
  private readonly short: Short | undefined;
  private array: InstanceView[] = [];
  private arrays = 0;
  private lines = 0;
  /** Arrays with nothing that is left: they come behind the others. */
  private readonly ended: InstanceView[][] = [];
  private readonly standalone: InstanceView[] = [];

  /** @param short arrays that have ended come last, and what does not fit is folded; absent: all is shown as it comes */
  constructor(write: (text: string) => void, colour: boolean, short?: Short) {
    this.write = (text) => {
      this.lines += text.split('\n').length - 1;
      write(text);
    };
    this.colour = colour;
    this.short = short;
  }

  add(page: readonly InstanceView[]): void {
    for (const instance of page) {
      if (instance.standalone) {
        this.standalone.push(instance);
        continue;
      }
      if (this.array.length > 0 && this.array[0]!.arrayId !== instance.arrayId) this.closeArray();
      this.array.push(instance);
    }
  }

  end(): void {
    this.closeArray();
    const more = [...this.ended, this.standalone].reduce((sum, { length }) => sum + length + HEADING_LINES, this.lines);
    const folds = this.short !== undefined && more > this.short.rows;
    for (const members of this.ended) this.writeArray(members, folds ? '' : this.linesOf(members));
    const shown = folds ? this.standalone.filter((instance) => !hasEnded(instance)) : this.standalone;
    if (shown.length > 0) this.write(`Standalone Instances:\n${memberLines(shown, '  ', this.colour).join('')}`);
    const left = this.ended.length > 0 || shown.length < this.standalone.length;
    if (folds && left) this.write(`\n${LEFT_OUT}\n`);
  }

  private closeArray(): void {
    const members = this.array;
    if (members.length === 0) return;
    this.array = [];
    if (this.short !== undefined && members.every(hasEnded)) this.ended.push(members);
    else this.writeArray(members, this.linesOf(members));
  }

  private linesOf(members: readonly InstanceView[]): string {
    const folds = this.short !== undefined && members.length > MOST_IN_FULL;
    return (folds ? foldedLines(members, this.colour) : memberLines(members, '    ', this.colour)).join('');
  }

  private writeArray(members: readonly InstanceView[], lines: string): void {
    const first = members[0]!;
    this.arrays += 1;
    const name = painter(this.colour)('bold', oneLine(first.arrayName));
    this.write(
      `${this.arrays === 1 ? 'Job Arrays:\n' : ''}\n` +
        `  ${name} (${countsText(members)})\n` +
        `  Array ID: ${oneLine(first.arrayId)}\n${lines}`,
    );
  }
}

function hasEnded({ state }: InstanceView): boolean {
  return state === 'terminated';
}

/** Of many members in a row that are in the same state only the first ones and the last. */
function foldedLines(members: readonly InstanceView[], colour: boolean): string[] {
  const shown: InstanceView[] = [];
  const gaps = new Map<InstanceView, number>();
  for (let from = 0; from < members.length; ) {
    const { state, reason } = members[from]!;
    let to = from + 1;
    while (to < members.length && members[to]!.state === state && members[to]!.reason === reason) to += 1;
    const run = members.slice(from, to);
    const folded = run.length - RUN_FIRST - RUN_LAST;
    if (folded <= 1) shown.push(...run);
    else {
      shown.push(...run.slice(0, RUN_FIRST), ...run.slice(-RUN_LAST));
      gaps.set(run[RUN_FIRST - 1]!, folded);
    }
    from = to;
  }
  return memberLines(shown, '    ', colour).map((line, n) => {
    const gap = gaps.get(shown[n]!);
    return gap === undefined ? line : `${line}    … ${shownCount(gap)} more ${shown[n]!.state}\n`;
  });
}

function memberLines(members: readonly InstanceView[], indent: string, colour: boolean): string[] {
  if (members.length === 0) return [];
  const paint = painter(colour);
  const cells = members.map((member) => [
    ...(member.standalone ? [] : [`[${member.index}]`]),
    oneLine(member.name),
    member.id,
    oneLine(member.type),
    member.state,
    oneLine(member.zone),
    member.publicIp ?? member.privateIp ?? '-',
  ]);
  const widths = cells[0]!.map((_, c) => cells.reduce((widest, row) => Math.max(widest, row[c]!.length), 0));
  return members.map((member, m) => {
    const padded = cells[m]!.map((cell, c) => {
      const text = cell.padEnd(widths[c]!);
      return c === cells[m]!.length - 3 ? paint(colourOfInstance(member.state), text) : text;
    });
    // The index stands close to the name.
    const start = member.standalone ? padded.join('  ') : `${padded[0]} ${padded.slice(1).join('  ')}`;
    return `${indent}${[start, ...notes(member)].join('  ').trimEnd()}\n`;
  });
}

/** What is true of few: `(spot)`, `(ttl)` of one that its TTL ended, and its parameters. */
function notes(member: InstanceView): string[] {
  const params = Object.entries(member.params ?? {});
  const shown = params.slice(0, PARAMS_SHOWN).map(([key, value]) => cut(oneLine(`${key}=${value}`), PARAM_COLUMNS));
  const more = params.length > PARAMS_SHOWN ? [`… ${params.length - PARAMS_SHOWN} more`] : [];
  return [
    ...(member.spot ? ['(spot)'] : []),
    ...(member.reason !== undefined && HAS_REASON.includes(member.state) ? [`(reason: ${member.reason})`] : []),
    ...(params.length === 0 ? [] : [[...shown, ...more].join(', ')]),
  ];
}

/** Of a line through a pipe. Columns are only ever added at the end. */
export const INSTANCE_COLUMNS: readonly Column<InstanceView>[] = (
  [
    ['name', ({ name }) => name],
    ['id', ({ id }) => id],
    ['type', ({ type }) => type],
    ['state', ({ state }) => state],
    ['zone', ({ zone }) => zone],
    ['address', ({ publicIp, privateIp }) => publicIp ?? privateIp ?? ''],
    ['region', ({ region }) => region],
    ['array name', ({ standalone, arrayName }) => (standalone ? '' : arrayName)],
    ['array id', ({ standalone, arrayId }) => (standalone ? '' : arrayId)],
    ['index', ({ standalone, index }) => (standalone ? '' : String(index))],
    ['spot', ({ spot }) => (spot ? 'spot' : 'on-demand')],
    ['reason', ({ reason }) => reason ?? ''],
  ] as const satisfies readonly (readonly [string, (instance: InstanceView) => string])[]
).map(([title, value]) => ({ title, value }));
