import type { GridDelta } from '../../api/insight.ts';
import type { TaskStateName } from '../../api/job.ts';
import { TASK_STATES } from '../../core/task-state.ts';
import { type Colour, painter } from './color.ts';

/** How a cell looks: by colour where there is one, else by its sign. What a person looks for first decides for a cell of many tasks. */
const LOOKS: readonly (readonly [TaskStateName, string, Colour | undefined])[] = [
  ['failed', 'x', 'red'],
  ['running', '>', 'cyan'],
  ['cancelled', '-', 'yellow'],
  ['skipped', '/', 'yellow'],
  ['leased', '~', 'blue'],
  ['ready', '.', undefined],
  ['blocked', ':', 'dim'],
  ['completed', '#', 'green'],
];
const BLOCK = '■';

/** The tasks of a job as a field of cells. */
export class Grid {
  private cells: (readonly number[] | undefined)[] = [];

  take(delta: GridDelta): void {
    if (this.cells.length !== delta.cells) this.cells = new Array(delta.cells).fill(undefined);
    for (const [cell, counts] of delta.changed) this.cells[cell] = counts;
  }

  /** Rows of at most `width` cells. */
  lines(width: number, colour: boolean): string[] {
    const paint = painter(colour);
    const lines: string[] = [];
    for (let from = 0; from < this.cells.length; from += width) {
      let line = '';
      for (let at = from; at < Math.min(from + width, this.cells.length); at++) {
        const look = lookOf(this.cells[at]);
        line += look === undefined ? ' ' : colour ? paint(look[2], BLOCK) : look[1];
      }
      lines.push(line);
    }
    return lines;
  }

  /** What the signs mean, of the states that are there. */
  legend(colour: boolean): string {
    const paint = painter(colour);
    const present = LOOKS.filter(([state]) =>
      this.cells.some((counts) => (counts?.[TASK_STATES.indexOf(state)] ?? 0) > 0),
    );
    return present.map(([state, sign, hue]) => `${colour ? paint(hue, BLOCK) : sign} ${state}`).join('  ');
  }
}

function lookOf(counts: readonly number[] | undefined) {
  if (counts === undefined) return undefined;
  return LOOKS.find(([state]) => (counts[TASK_STATES.indexOf(state)] ?? 0) > 0);
}
