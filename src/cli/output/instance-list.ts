import type { InstanceState, InstanceView } from '../../api/instance.ts';
import { countsText } from '../../core/instance-counts.ts';
import { painter } from './color.ts';
import { cut, oneLine } from './format.ts';
import { colourOfInstance } from './instance-states.ts';
import type { Column } from './table.ts';

const PARAMS_SHOWN = 3;
const PARAM_COLUMNS = 40;
/** In which it matters why. */
const HAS_REASON: readonly InstanceState[] = ['stopping', 'stopped', 'hibernated', 'shutting-down', 'terminated'];

/**
 * Groups instances as they come, an array after the other: its lines are written when its last member is there, because the heading counts
 * them and the columns are as wide as the widest. Standalone instances come last.
 */
export class InstanceList {
  private readonly write: (text: string) => void;
  private readonly colour: boolean;
  private array: InstanceView[] = [];
  private arrays = 0;
  private readonly standalone: InstanceView[] = [];

  constructor(write: (text: string) => void, colour: boolean) {
    this.write = write;
    this.colour = colour;
  }

  add(page: readonly InstanceView[]): void {
    for (const instance of page) {
      if (instance.standalone) {
        this.standalone.push(instance);
        continue;
      }
      if (this.array.length > 0 && this.array[0]!.arrayId !== instance.arrayId) this.writeArray();
      this.array.push(instance);
    }
  }

  end(): void {
    this.writeArray();
    if (this.standalone.length === 0) return;
    this.write(`Standalone Instances:\n${memberLines(this.standalone, '  ', this.colour)}`);
  }

  private writeArray(): void {
    const members = this.array;
    const [first] = members;
    if (first === undefined) return;
    this.array = [];
    this.arrays += 1;
    const name = painter(this.colour)('bold', oneLine(first.arrayName));
    this.write(
      `${this.arrays === 1 ? 'Job Arrays:\n' : ''}\n` +
        `  ${name} (${countsText(members)})\n` +
        `  Array ID: ${oneLine(first.arrayId)}\n${memberLines(members, '    ', this.colour)}`,
    );
  }
}

function memberLines(members: readonly InstanceView[], indent: string, colour: boolean): string {
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
  return members
    .map((member, m) => {
      const padded = cells[m]!.map((cell, c) => {
        const text = cell.padEnd(widths[c]!);
        return c === cells[m]!.length - 3 ? paint(colourOfInstance(member.state), text) : text;
      });
      // The index stands close to the name.
      const start = member.standalone ? padded.join('  ') : `${padded[0]} ${padded.slice(1).join('  ')}`;
      return `${indent}${[start, ...notes(member)].join('  ').trimEnd()}\n`;
    })
    .join('');
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
