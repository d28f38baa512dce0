import type { JobDelta } from '../../api/job.ts';
import { painter } from '../output/color.ts';
import { shownCount } from '../output/format.ts';
import { endedOf } from '../output/progress.ts';
import type { World } from '../world.ts';

const REDRAW_MS = 200;
const PLAIN_MS = 2_000;
const CLEAR_LINE = '\r\x1b[K';
const BAR_CELLS = 20;

/** How many instances run, on standard error: a line that is drawn over on a terminal, else one every two seconds while it changes. */
export class LaunchProgress {
  private readonly world: World;
  private readonly name: string;
  private readonly size: number;
  private readonly stop: () => void;
  private counts: JobDelta['counts'] | undefined;
  private drawn = '';

  constructor(world: World, name: string, size: number) {
    this.world = world;
    this.name = name;
    this.size = size;
    this.stop = world.every(world.stderr.isTTY ? REDRAW_MS : PLAIN_MS, () => this.draw());
  }

  update({ counts }: Pick<JobDelta, 'counts'>): void {
    const first = this.counts === undefined;
    this.counts = counts;
    if (first) this.draw();
  }

  end(): void {
    this.stop();
    if (this.drawn !== '' && this.world.stderr.isTTY) this.world.stderr.write(CLEAR_LINE);
  }

  private draw(): void {
    if (this.counts === undefined) return;
    const { stderr } = this.world;
    const line = this.line(this.counts);
    if (line === this.drawn) return;
    this.drawn = line;
    stderr.write(stderr.isTTY ? `${CLEAR_LINE}${line}` : `${line}\n`);
  }

  /** `launching compute  ━━━━────  23/100 running, 2 completed`. */
  private line(counts: JobDelta['counts']): string {
    const { isTTY, columns, colour } = this.world.stderr;
    const { running, completed, failed } = counts;
    const gone = endedOf(counts) - completed - failed;
    const parts = [
      `${shownCount(running)}/${shownCount(this.size)} running`,
      ...(completed > 0 ? [`${shownCount(completed)} completed`] : []),
      ...(failed > 0 ? [`${shownCount(failed)} failed`] : []),
      ...(gone > 0 ? [`${shownCount(gone)} cancelled`] : []),
    ].join(', ');
    const plain = `launching ${this.name}  ${parts}`;
    if (!isTTY) return plain;
    const paint = painter(colour);
    const full = Math.min(BAR_CELLS, Math.floor(((running + endedOf(counts)) / this.size) * BAR_CELLS));
    const bar = `${paint('green', '━'.repeat(full))}${paint('dim', '─'.repeat(BAR_CELLS - full))}`;
    // A line wider than the terminal would wrap, and could not be drawn over.
    const fits = [...plain].length + BAR_CELLS + 2 < columns;
    return fits ? `launching ${this.name}  ${bar}  ${parts}` : [...plain].slice(0, Math.max(0, columns - 1)).join('');
  }
}
