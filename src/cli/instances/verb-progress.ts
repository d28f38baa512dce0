import type { InstanceTarget, InstanceVerb } from '../../api/instance.ts';
import { countsText } from '../../core/instance-counts.ts';
import type { Client } from '../client.ts';
import { cut, shownDuration } from '../output/format.ts';
import type { World } from '../world.ts';
import { allInstances } from './pages.ts';

/** Below this it is over before anybody wonders. */
const MANY = 20;
const TICK_MS = 500;
const CLEAR_LINE = '\r\x1b[K';

/** How far a verb on many instances is: a line on a terminal that goes away at the end. */
export class VerbProgress {
  private readonly world: World;
  private readonly verb: InstanceVerb;
  private readonly startedAt: number;
  private readonly stop: () => void;
  private states: string;
  private asking = false;
  private ended = false;
  private drawn = false;

  constructor(world: World, client: Client, verb: InstanceVerb, targets: readonly InstanceTarget[], count: number) {
    this.world = world;
    this.verb = verb;
    this.states = `${count} instances`;
    this.startedAt = world.now();
    const shows = world.stderr.isTTY && count >= MANY;
    this.stop = shows ? world.every(TICK_MS, () => void this.tick(client, targets)) : () => {};
  }

  end(): void {
    this.stop();
    this.ended = true;
    if (this.drawn) this.world.stderr.write(CLEAR_LINE);
    this.drawn = false;
  }

  private async tick(client: Client, targets: readonly InstanceTarget[]): Promise<void> {
    if (this.asking || this.ended) return;
    this.draw();
    this.asking = true;
    try {
      const found = await Promise.all(targets.map((target) => allInstances(client, target)));
      this.states = countsText(found.flat());
    } catch {
      // The verb itself tells what is wrong; this only shows how far it is.
    } finally {
      this.asking = false;
    }
  }

  private draw(): void {
    const { stderr } = this.world;
    const line = `${this.verb}: ${this.states} (${shownDuration(this.world.now() - this.startedAt)})`;
    stderr.write(`${CLEAR_LINE}${cut(line, Math.max(1, stderr.columns - 1))}`);
    this.drawn = true;
  }
}
