import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AllocatedNode, planStep, type StepPlan, type StepShape } from './plan-step.ts';

const nodes = (...cpus: number[]): AllocatedNode[] => cpus.map((count, at) => ({ name: `n${at + 1}`, cpus: count }));
const where = (plan: ReturnType<typeof planStep>) =>
  'nodes' in plan ? plan.nodes.map(({ name, ranks }) => `${name}:${ranks.join('+')}`).join(' ') : plan;

/** What Slurm 22.05 answered to these, in jobs of three nodes with 4, 1 and 1 CPUs and of two with 4. */
describe('ranks go where Slurm has them', () => {
  const wide = nodes(4, 1, 1);
  const all = { nodes: { min: 3, max: 3 }, tasks: 6 };
  test.each<[AllocatedNode[], StepShape, string]>([
    [wide, all, 'n1:0+1+2+3 n2:4 n3:5'],
    [wide, { ...all, cyclic: true }, 'n1:0+3+4+5 n2:1 n3:2'],
    [wide, { ...all, tasks: 4 }, 'n1:0+1 n2:2 n3:3'],
    [wide, { nodes: { min: 2, max: 2 }, tasks: 2 }, 'n1:0 n2:1'],
    [wide, { nodes: { min: 1, max: 1 }, tasks: 1, relative: 1 }, 'n2:0'],
    [wide, { ...all, tasks: 1, nodelist: ['n3'] }, 'n3:0'],
    [wide, { nodes: { min: 1, max: 1 }, tasks: 1, exclude: ['n1'] }, 'n2:0'],
    [wide, { nodes: { min: 1, max: 2 }, tasks: 2 }, 'n1:0 n2:1'],
    [wide, { ...all, tasks: 2, cpusPerTask: 2 }, 'n1:0 n2:1'],
    [nodes(4, 4), { nodes: { min: 2, max: 2 }, tasks: 4 }, 'n1:0+1 n2:2+3'],
    [nodes(4, 4), { nodes: { min: 2, max: 2 }, tasks: 5, cyclic: true }, 'n1:0+2+4 n2:1+3'],
    [nodes(4, 4), { nodes: { min: 2, max: 2 }, tasks: 12, overcommit: true }, 'n1:0+1+2+3+4+5 n2:6+7+8+9+10+11'],
    [nodes(2), { tasksPerNode: 2 }, 'n1:0+1'],
    [nodes(8), {}, 'n1:0'],
  ])('%j %j', (allocation, shape, expected) => {
    expect(where(planStep(allocation, shape))).toBe(expected);
  });

  test.each<[StepShape, object]>([
    [{ nodes: { min: 1, max: 1 }, tasks: 6 }, { create: 'More processors requested than permitted' }],
    [{ ...all, tasks: 7 }, { create: 'More processors requested than permitted' }],
    [{ tasks: 1, cpusPerTask: 9 }, { create: 'More processors requested than permitted' }],
    [{ nodes: { min: 4, max: 4 } }, { error: 'Only allocated 3 nodes asked for 4' }],
    [{ ...all, nodelist: ['n9'] }, { create: 'Requested node configuration is not available' }],
    [
      { nodes: { min: 1, max: 1 }, tasks: 1, relative: 3 },
      { error: '--relative and --nodes option incompatible with count of allocated nodes (3+1>3)' },
    ],
  ])('no step of %j', (shape, refusal) => {
    expect(planStep(wide, shape)).toEqual(refusal);
  });

  test('says what was not as asked for', () => {
    const few = planStep(wide, { ...all, tasks: 1 }) as StepPlan;
    expect(few.warnings).toEqual(["Warning: can't run 1 processes on 3 nodes, setting nnodes to 1"]);
    const many = planStep(nodes(4, 4), { nodes: { min: 2, max: 2 }, tasks: 5, tasksPerNode: 2 }) as StepPlan;
    expect(many.warnings[0]).toContain("can't honor --ntasks-per-node set to 2");
  });
});

test('CPUs of its own: all of its nodes, those it needs, or none', () => {
  const of = (shape: StepShape) => (planStep(nodes(4, 2), { tasks: 2, ...shape }) as StepPlan).cpus;
  expect(of({})).toEqual({ 0: 4, 1: 2 });
  expect(of({ exact: true })).toEqual({ 0: 1, 1: 1 });
  expect(of({ overlap: true })).toEqual({});
  expect(of({ nodes: { min: 1, max: 1 }, exact: true, cpusPerTask: 2 })).toEqual({ 0: 4 });
});

test('every rank has one place, none has more than its node has room for, and blocks are in order', () => {
  const shapes = fc.record({
    cpus: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
    tasks: fc.integer({ min: 1, max: 40 }),
    cyclic: fc.boolean(),
    overcommit: fc.boolean(),
  });
  fc.assert(
    fc.property(shapes, ({ cpus, tasks, cyclic, overcommit }) => {
      const plan = planStep(nodes(...cpus), { tasks, cyclic, overcommit });
      const room = cpus.reduce((sum, count) => sum + count, 0);
      if (!('nodes' in plan)) return void expect([overcommit, tasks > room]).toEqual([false, true]);
      const ranks = plan.nodes.flatMap((node) => node.ranks);
      expect(ranks.toSorted((a, b) => a - b)).toEqual(Array.from({ length: tasks }, (_, at) => at));
      if (!cyclic) expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      if (!overcommit) for (const node of plan.nodes) expect(node.ranks.length).toBeLessThanOrEqual(cpus[node.place]!);
    }),
  );
});
