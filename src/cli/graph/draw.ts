import { type Colour, colourOfState, painter } from '../output/color.ts';
import { counted, shownCount } from '../output/format.ts';
import { type Bus, type Layout, layOut } from './lay-out.ts';
import type { Graph, GraphJob, GraphLink } from './model.ts';

export interface DrawStyle {
  readonly colour: boolean;
  /** Columns; infinite where lines are not broken. */
  readonly width: number;
  readonly ascii: boolean;
}

interface Signs {
  readonly into: string;
  readonly across: string;
  readonly line: string;
  /** A corner or joint of a line: from above, to below, on to the right. */
  joint(up: boolean, down: boolean, right: boolean): string;
}

const UNICODE: Signs = {
  into: '◀',
  across: '─',
  line: '│',
  joint: (up, down, right) => (up ? (down ? (right ? '┼' : '┤') : right ? '┴' : '╯') : right ? '┬' : '╮'),
};
const ASCII: Signs = { into: '<', across: '-', line: '|', joint: () => '+' };

const MARKS: Readonly<Record<string, string>> = {
  completed: '✔',
  failed: '✘',
  running: '▶',
  ready: '○',
  held: '‖',
  blocked: '·',
  cancelled: '⊘',
  skipped: '↷',
};
/** What a line says, beside that it is one. */
const COLOUR_OF_TYPE: Readonly<Record<GraphLink['type'], Colour | undefined>> = {
  after: 'dim',
  afterany: 'yellow',
  afterok: 'green',
  afternotok: 'red',
  aftercorr: 'cyan',
};
const LONGEST_LABEL = 32;
const LONGEST_AFTER = 40;
const SHORTEST_AFTER = 12;
const GAP = '  ';
/** Of a lane: its line, and the way to the next one. */
const LANE = 2;

/** Jobs from top to bottom, each under all that it waits for; lines beside them lead from one to who waits for it (◀). */
export function drawGraph(graph: Graph, style: DrawStyle): string {
  const layout = layOut(graph);
  const paint = painter(style.colour);
  const cells = cellsOf(graph, layout, style);
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]!.length))) ?? [];
  const used = widths.reduce((sum, width) => sum + (width === 0 ? 0 : width + GAP.length), 1);
  // What does not fit beside the jobs is told by names alone.
  const lanes = Math.max(0, Math.min(layout.lanes, Math.floor((style.width - used) / LANE)));
  const drawn = layout.buses.filter(({ lane }) => lane < lanes);
  const lines = layout.rows.map((job, row) => {
    const words = cells[row]!.flatMap((cell, column) => {
      if (widths[column] === 0) return [];
      const padded = column === 0 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      return column === STATE && job.state !== undefined ? paint(colourOfState(job.state), padded) : padded;
    });
    return `${words.join(GAP)}${GAP}${linesOf(row, drawn, lanes, style, paint)}`.trimEnd();
  });
  const left = layout.buses.length - drawn.length;
  if (left > 0) lines.push(`(${counted(left, 'line')} not drawn: there is no room; the names tell)`);
  if (graph.cut) lines.push(`(only ${shownCount(graph.jobs.length)} jobs are shown)`);
  return `${lines.join('\n')}\n`;
}

/** Number, label, state, tasks, what it waits for. */
const STATE = 2;

function cellsOf({ links }: Graph, { rows, lanes }: Layout, { ascii, width }: DrawStyle): string[][] {
  const waits = new Map<number, string[]>();
  for (const link of links) waits.set(link.to, [...(waits.get(link.to) ?? []), linkText(link)]);
  const all = rows.map((job): string[] => {
    const mark = job.state === undefined || ascii ? '' : `${MARKS[job.state] ?? '?'} `;
    const any = links.some(({ to, any: one }) => to === job.id && one);
    return [
      String(job.id),
      cut(job.label, LONGEST_LABEL, ascii),
      `${mark}${job.state ?? ''}`,
      progressOf(job),
      (waits.get(job.id) ?? []).join(any ? ' ? ' : ', '),
    ];
  });
  const last = all[0]?.length ?? 0;
  const before = Array.from({ length: last - 1 }, (_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const used = before.reduce((sum, one) => sum + one + GAP.length, 1);
  const room = Math.max(SHORTEST_AFTER, Math.min(LONGEST_AFTER, width - used - lanes * LANE - GAP.length));
  return all.map((row) => [...row.slice(0, -1), cut(row.at(-1)!, room, ascii)]);
}

function progressOf({ tasks, completed }: GraphJob): string {
  return tasks === undefined || tasks === 1 ? '' : `${shownCount(completed ?? 0)}/${shownCount(tasks)}`;
}

function linkText({ type, from, indices }: GraphLink): string {
  return `${type}:${from}${indices === undefined ? '' : `_[${indices}]`}`;
}

function cut(text: string, most: number, ascii: boolean): string {
  if (text.length <= most) return text;
  const end = ascii ? '...' : '…';
  return `${text.slice(0, most - end.length)}${end}`;
}

type Paint = ReturnType<typeof painter>;

function linesOf(row: number, buses: readonly Bus[], lanes: number, { ascii }: DrawStyle, paint: Paint): string {
  const signs = ascii ? ASCII : UNICODE;
  const here = new Map<number, Bus>();
  for (const bus of buses) if (bus.sources[0]! <= row && row <= bus.targets.at(-1)!) here.set(bus.lane, bus);
  const joins = ({ sources, targets }: Bus) => sources.includes(row) || targets.includes(row);
  const farthest = Math.max(-1, ...[...here.values()].filter(joins).map(({ lane }) => lane));
  if (here.size === 0) return '';
  const comes = [...here.values()].some(({ targets }) => targets.includes(row));
  let text = farthest < 0 ? ' ' : comes ? paint('bold', signs.into) : signs.across;
  for (let lane = 0; lane < lanes; lane++) {
    const bus = here.get(lane);
    const right = lane < farthest;
    const across = lane <= farthest ? signs.across : ' ';
    if (bus === undefined) text += across.repeat(LANE);
    else {
      const up = bus.sources[0]! < row;
      const down = row < bus.targets.at(-1)!;
      const sign = joins(bus) ? signs.joint(up, down, right) : signs.line;
      text += across + paint(COLOUR_OF_TYPE[bus.type], sign);
    }
  }
  return text;
}
