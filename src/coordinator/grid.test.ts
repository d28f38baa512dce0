import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CALLER } from '../../test/support/ledger-at-hand.ts';
import { LoggingTasks } from '../../test/support/logging-tasks.ts';
import { until } from '../../test/support/until.ts';
import { GridDelta } from '../api/insight.ts';
import { countCells } from '../core/grid-cells.ts';
import { GRID_MS } from './grid.ts';

let tasks: LoggingTasks;
beforeEach(async () => {
  tasks = await LoggingTasks.open();
});
afterEach(() => tasks.dispose());

/** What a page would draw from what it was told. */
class Drawn {
  readonly deltas: GridDelta[] = [];
  readonly cells = new Map<number, number[]>();
  stop: () => void = () => {};

  static async of(id: number, cells: number): Promise<Drawn> {
    const drawn = new Drawn();
    drawn.stop = await tasks.at.coordinator.watchGrid(CALLER, String(id), cells, (delta) => {
      drawn.deltas.push(GridDelta.parse(delta));
      for (const [cell, counts] of delta.changed) drawn.cells.set(cell, counts);
    });
    return drawn;
  }

  get flat(): number[] {
    return [...this.cells].toSorted(([a], [b]) => a - b).flatMap(([, counts]) => counts);
  }
}

/** Time for the next look, and what it brings. */
async function nextLook(): Promise<void> {
  tasks.at.clock.pass(GRID_MS);
  for (let turn = 0; turn < 5; turn++) await tasks.at.ledger.idle();
  await new Promise((resolve) => setImmediate(resolve));
}

test('all cells come first, then those that changed, not more often than the pace allows', async () => {
  const id = await tasks.at.submit({ array: '0-99' });
  const drawn = await Drawn.of(id, 10);
  expect(drawn.deltas).toHaveLength(1);
  expect(drawn.deltas[0]!.changed).toHaveLength(10);
  await tasks.end(id, [{ position: 5 }]);
  await tasks.end(id, [{ position: 95, outcome: 1 }]);
  expect(drawn.deltas).toHaveLength(1);
  await nextLook();
  expect(drawn.deltas).toHaveLength(2);
  expect(drawn.deltas[1]!.changed.map(([cell]) => cell)).toEqual([0, 9]);
  await nextLook();
  expect(drawn.deltas).toHaveLength(2);
  await tasks.end(id, [{ position: 6 }]);
  drawn.stop();
  await nextLook();
  expect(drawn.deltas).toHaveLength(2);
});

test('it ends with the job; one that has ended is told once, also from the store', async () => {
  const id = await tasks.at.submit({ array: '0-2' });
  const drawn = await Drawn.of(id, 1_024);
  await tasks.end(id, [{ position: 0 }, { position: 1 }, { position: 2, outcome: 1 }]);
  await nextLook();
  expect(drawn.deltas.at(-1)).toMatchObject({ size: 3, cells: 3, ended: true });
  tasks.at.evictAll();
  const again = await Drawn.of(id, 2);
  expect(again.deltas).toEqual([
    {
      size: 3,
      cells: 2,
      ended: true,
      changed: [
        [0, [0, 0, 0, 0, 1, 0, 0, 0]],
        [1, [0, 0, 0, 0, 1, 1, 0, 0]],
      ],
    },
  ]);
});

test('of a job that is not there there is none', async () => {
  await expect(Drawn.of(77, 2)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});

test('what is drawn from the deltas is what there is, whatever happens', async () => {
  const step = fc.constantFrom('end', 'fail', 'hold', 'release', 'cancel', 'retry', 'look');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(39)), { maxLength: 20 }), async (steps) => {
      const { at, worker } = tasks;
      const id = await at.submit({ array: '0-39', throttle: 8 });
      const drawn = await Drawn.of(id, 7);
      for (const [act, n] of steps) {
        const held = [...worker.held.values()].find(({ job }) => job === id)?.position;
        if (act === 'look') await nextLook();
        else if ((act === 'end' || act === 'fail') && held !== undefined)
          await tasks.end(id, [{ position: held, outcome: act === 'fail' ? 1 : 0 }]);
        else if (act !== 'end' && act !== 'fail') await at.coordinator[act](CALLER, `${id}_${n}`, {}).catch(() => {});
      }
      await until('the last look', async () => {
        await nextLook();
        const { state } = at.job(id).table;
        return JSON.stringify(drawn.flat) === JSON.stringify([...countCells(state, 7)]);
      });
      drawn.stop();
    }),
    { numRuns: 30 },
  );
});
