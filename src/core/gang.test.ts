import { describe, expect, it, test } from 'vitest';
import { cpusOfGang, type Gang, shapeOf } from './gang.ts';
import { needsOf } from './resources.ts';

const TERMS = { cpus: 3, memoryBytes: 100, gpus: 1, resources: { disk: 2 } };
const gang = (more: Partial<Gang>): Gang => ({ cpusPerTask: 1, memoryBytesPerTask: 0, gpusPerTask: 0, ...more });
const shape = (more: Partial<Gang>, exclusive = false) => shapeOf(TERMS, exclusive, gang(more))!;

describe('what tasks need that are placed as a whole', () => {
  it('is nothing where a task takes a share like any other', () => {
    expect(shapeOf(TERMS, false, undefined)).toBeUndefined();
  });

  it('is one session of an exclusive task', () => {
    expect(shapeOf(TERMS, true, undefined)).toEqual({
      nodes: { min: 1, max: 1 },
      fewest: false,
      tasks: undefined,
      perNode: undefined,
      exclusive: true,
      node: needsOf({ ...TERMS, cpus: 0 }),
      rank: needsOf({ cpus: 3, memoryBytes: 0, gpus: 0, resources: {} }),
    });
  });

  it('is of each node and of each rank in a gang', () => {
    const { node, rank, exclusive } = shape({ tasks: 2, cpusPerTask: 2, memoryBytesPerTask: 7, gpusPerTask: 1 }, true);
    expect([node, rank, exclusive]).toEqual([
      needsOf({ ...TERMS, cpus: 0 }),
      needsOf({ cpus: 2, memoryBytes: 7, gpus: 1, resources: {} }),
      true,
    ]);
  });

  // Real Slurm 22.05: -n10, -N2-3 -n4, -N2, -N2-3, --ntasks-per-node=3, -n3 --ntasks-per-node=2, and with -N2-4.
  test.each<[Partial<Gang>, unknown]>([
    [{ tasks: 10 }, [1, 10, true, 10, undefined]],
    [{ tasks: 4, nodes: { min: 2, max: 3 } }, [2, 3, false, 4, undefined]],
    [{ tasks: 2, nodes: { min: 2, max: 3 } }, [2, 2, false, 2, undefined]],
    [{ nodes: { min: 2, max: 2 } }, [2, 2, false, undefined, undefined]],
    [{ nodes: { min: 2, max: 3 } }, [2, 3, false, undefined, undefined]],
    [{}, [1, 1, false, undefined, undefined]],
    [{ tasksPerNode: 3 }, [1, 1, false, undefined, 3]],
    [{ tasks: 3, tasksPerNode: 2 }, [2, 2, false, undefined, 2]],
    [{ tasks: 5, tasksPerNode: 2, nodes: { min: 2, max: 4 } }, [3, 4, false, undefined, 2]],
  ])('%j: nodes and ranks', (given, expected) => {
    const { nodes, fewest, tasks, perNode } = shape(given);
    expect([nodes.min, nodes.max, fewest, tasks, perNode]).toEqual(expected);
  });
});

test.each<[Partial<Gang>, number]>([
  [{ tasks: 5, cpusPerTask: 2 }, 10],
  [{ nodes: { min: 3, max: 9 } }, 3],
  [{ nodes: { min: 3, max: 3 }, tasks: 4 }, 4],
  [{ nodes: { min: 2, max: 2 }, tasks: 3, tasksPerNode: 2 }, 4],
  [{ tasksPerNode: 3, cpusPerTask: 0.5 }, 1.5],
])('%j: CPUs of all nodes', (given, cpus) => {
  expect(cpusOfGang(gang(given))).toBe(cpus);
});
