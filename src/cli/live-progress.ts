import type { JobDelta } from '../api/job.ts';
import { progressLine, RateMeter } from './output/progress.ts';
import type { World } from './world.ts';

const REDRAW_MS = 200;
const PLAIN_MS = 10_000;
const CLEAR_LINE = '\r\x1b[K';

/** How far one job is, on standard error: a line that is drawn over on a terminal, else a line every ten seconds. */
export class LiveProgress {
  private readonly world: World;
  private readonly meter = new RateMeter();
  private readonly stop: () => void;
  private latest: JobDelta | undefined;
  private drawn = '';

  constructor(world: World) {
    this.world = world;
    this.stop = world.every(world.stderr.isTTY ? REDRAW_MS : PLAIN_MS, () => this.draw());
  }

  update(delta: JobDelta): void {
    const first = this.latest === undefined;
    this.latest = delta;
    this.meter.add(delta.counts, this.world.now());
    if (first && this.world.stderr.isTTY) this.draw();
  }

  /** Makes room for other lines on the same terminal, until it is drawn again. */
  hide(): void {
    if (this.drawn !== '' && this.world.stderr.isTTY) this.world.stderr.write(CLEAR_LINE);
    this.drawn = '';
  }

  end(): void {
    this.stop();
    this.hide();
  }

  private draw(): void {
    if (this.latest === undefined) return;
    const { stderr } = this.world;
    const line = this.line(this.latest);
    if (line === this.drawn) return;
    this.drawn = line;
    stderr.write(stderr.isTTY ? `${CLEAR_LINE}${line}` : `${line}\n`);
  }

  /** A line wider than the terminal would wrap, and could not be drawn over. */
  private line(delta: JobDelta): string {
    const { isTTY, columns, colour } = this.world.stderr;
    const now = this.world.now();
    const line = (bar: boolean, coloured: boolean) => progressLine(delta, this.meter, now, { bar, colour: coloured });
    if (!isTTY) return line(false, false);
    const bar = [...line(true, false)].length < columns;
    const plain = line(bar, false);
    return [...plain].length < columns ? line(bar, colour) : plain.slice(0, Math.max(0, columns - 1));
  }
}
