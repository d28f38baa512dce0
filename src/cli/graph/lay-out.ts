import { orderByNeeds } from '../../core/topological.ts';
import type { Graph, GraphJob, GraphLink } from './model.ts';

/** Links that are drawn as one line: from any of its sources to all of its targets. */
export interface Bus {
  readonly type: GraphLink['type'];
  /** Rows, ascending; every source is above every target. */
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  /** Column of the line, from 0 beside the jobs. */
  readonly lane: number;
}

export interface Layout {
  /** A row for each, layer under layer. */
  readonly rows: readonly GraphJob[];
  readonly buses: readonly Bus[];
  readonly lanes: number;
}

/** Times that the order within layers is looked at, down and up. */
const SWEEPS = 6;

/** Orders jobs so that each is under all that it waits for, and lines cross as little as they need. */
export function layOut({ jobs, links }: Graph): Layout {
  const at = new Map(jobs.map(({ id }, n) => [id, n]));
  const edges = links.flatMap(({ from, to }) => {
    const [source, target] = [at.get(from), at.get(to)];
    return source === undefined || target === undefined ? [] : [[source, target] as const];
  });
  const before: number[][] = jobs.map(() => []);
  const after: number[][] = jobs.map(() => []);
  for (const [source, target] of edges) {
    before[target]!.push(source);
    after[source]!.push(target);
  }
  const layers = order(layersOf(before), before, after);
  const rows = layers.flat();
  const rowOf = new Map(rows.map((n, row) => [jobs[n]!.id, row]));
  const buses = withLanes(busesOf(links, rowOf));
  return {
    rows: rows.map((n) => jobs[n]!),
    buses,
    lanes: buses.reduce((most, { lane }) => Math.max(most, lane + 1), 0),
  };
}

/** Each in the layer behind the last of those that it waits for. */
function layersOf(before: readonly (readonly number[])[]): number[][] {
  const ordered = orderByNeeds(before.length, (n) => before[n]!);
  // What was changed after the submit is checked too: there is no cycle.
  const sequence = 'order' in ordered ? ordered.order : before.map((_, n) => n);
  const depth = new Array<number>(before.length).fill(0);
  const layers: number[][] = [];
  for (const n of sequence) {
    for (const one of before[n]!) depth[n] = Math.max(depth[n]!, depth[one]! + 1);
  }
  for (const n of before.keys()) {
    const layer = depth[n]!;
    while (layers.length <= layer) layers.push([]);
    layers[layer]!.push(n);
  }
  return layers;
}

/** Moves each within its layer to the middle of its neighbours, down and up in turns; keeps the best. */
function order(
  layers: readonly (readonly number[])[],
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  let best = layers;
  let least = lengthOf(layers, before);
  let now = layers;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const place = new Map(now.flat().map((n, row) => [n, row]));
    const down = sweep % 2 === 0;
    const middle = (n: number) => {
      const near = (down ? before : after)[n]!;
      if (near.length === 0) return place.get(n)!;
      return near.reduce((sum, one) => sum + place.get(one)!, 0) / near.length;
    };
    now = now.map((layer) => {
      const key = new Map(layer.map((n) => [n, middle(n)]));
      return layer.toSorted((a, b) => key.get(a)! - key.get(b)!);
    });
    const length = lengthOf(now, before);
    if (length >= least) continue;
    best = now;
    least = length;
  }
  return best;
}

/** Of all lines together: shorter ones cross less. */
function lengthOf(layers: readonly (readonly number[])[], before: readonly (readonly number[])[]): number {
  const place = new Map(layers.flat().map((n, row) => [n, row]));
  let sum = 0;
  for (const [n, sources] of before.entries()) for (const one of sources) sum += place.get(n)! - place.get(one)!;
  return sum;
}

function busesOf(links: readonly GraphLink[], rowOf: ReadonlyMap<number, number>): Omit<Bus, 'lane'>[] {
  const targets = new Map<string, { type: Bus['type']; source: number; to: Set<number> }>();
  for (const { from, to, type } of links) {
    const [source, target] = [rowOf.get(from), rowOf.get(to)];
    if (source === undefined || target === undefined) continue;
    const key = `${type} ${source}`;
    const known = targets.get(key) ?? { type, source, to: new Set() };
    known.to.add(target);
    targets.set(key, known);
  }
  const buses = new Map<string, { type: Bus['type']; sources: number[]; targets: number[] }>();
  for (const { type, source, to } of targets.values()) {
    const all = [...to].toSorted((a, b) => a - b);
    const key = `${type} ${all}`;
    const known = buses.get(key) ?? { type, sources: [], targets: all };
    known.sources.push(source);
    buses.set(key, known);
  }
  return [...buses.values()].map((bus) => ({ ...bus, sources: bus.sources.toSorted((a, b) => a - b) }));
}

/** Short lines beside the jobs, long ones outside; two that meet in a row are never in one lane. */
function withLanes(buses: readonly Omit<Bus, 'lane'>[]): Bus[] {
  const span = ({ sources, targets }: Omit<Bus, 'lane'>) => [sources[0]!, targets.at(-1)!] as const;
  const length = (bus: Omit<Bus, 'lane'>) => span(bus)[1] - span(bus)[0];
  const taken: (readonly [from: number, to: number])[][] = [];
  return buses
    .toSorted((a, b) => length(a) - length(b) || span(a)[0] - span(b)[0])
    .map((bus) => {
      const [from, to] = span(bus);
      const isFree = (lane: (typeof taken)[number]) => lane.every(([start, end]) => end < from || to < start);
      const found = taken.findIndex(isFree);
      const lane = found < 0 ? taken.length : found;
      if (found < 0) taken.push([]);
      taken[lane]!.push([from, to]);
      return { ...bus, lane };
    });
}
