import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Outstanding } from './outstanding.ts';

/** The same as a list of single tasks. */
class Model {
  tasks: { fence: number; position: number; limit: number | undefined }[] = [];
  sent = 0;
  ordinal = 0;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('shift' as const) }),
  fc.record({ kind: fc.constant('send' as const), most: fc.nat(8) }),
  fc.record({ kind: fc.constant('unsend' as const), back: fc.nat(4) }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('take' as const), base: fc.nat(60), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('limit' as const), base: fc.nat(60), count: fc.integer({ min: 1, max: 12 }) }),
);

test('whatever happens, it is as a list of single tasks', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const [real, model] = [new Outstanding(), new Model()];
      let fence = 1;
      for (const one of steps) {
        switch (one.kind) {
          case 'add':
            real.add({ fence, position: fence + 100, count: one.count, attempt: 1 });
            for (let at = 0; at < one.count; at++)
              model.tasks.push({ fence: fence + at, position: fence + at + 100, limit: undefined });
            // A gap from time to time.
            fence += one.count + (one.count % 2);
            break;
          case 'shift':
            if (model.sent === 0) break;
            real.shift();
            model.tasks.shift();
            model.sent -= 1;
            model.ordinal += 1;
            break;
          case 'send': {
            const wanted = model.tasks.slice(model.sent, Math.max(model.sent, one.most));
            const runs = real.send(one.most);
            const sent = runs.flatMap((run) =>
              Array.from({ length: run.count }, (_, at) => [run.ordinal + at, run.fence + at, run.position + at]),
            );
            expect(sent).toEqual(
              wanted.map((task, at) => [model.ordinal + model.sent + at, task.fence, task.position]),
            );
            model.sent += wanted.length;
            break;
          }
          case 'unsend': {
            const left = Math.max(0, model.sent - one.back);
            real.unsend(model.ordinal + left);
            model.sent = left;
            break;
          }
          case 'restart':
            real.restart();
            model.sent = model.ordinal = 0;
            break;
          case 'take': {
            const isTaken = (task: { fence: number }, at: number) =>
              at >= model.sent && task.fence >= one.base && task.fence < one.base + one.count;
            const taken = real
              .takeUnsent(one.base, one.count)
              .flatMap(([base, count]) => Array.from({ length: count }, (_, at) => base + at));
            expect(taken).toEqual(model.tasks.filter(isTaken).map((task) => task.fence));
            model.tasks = model.tasks.filter((task, at) => !isTaken(task, at));
            break;
          }
          case 'limit':
            real.limit(one.base, one.count, 7);
            model.tasks.forEach((task, at) => {
              if (at >= model.sent && task.fence >= one.base && task.fence < one.base + one.count) task.limit = 7;
            });
            break;
        }
        expect([real.count, real.sent, real.ordinal]).toEqual([model.tasks.length, model.sent, model.ordinal]);
        expect([real.first?.fence, real.first?.timeLimitMs]).toEqual([model.tasks[0]?.fence, model.tasks[0]?.limit]);
        const near = model.tasks.filter((task) => task.fence >= 5 && task.fence < 25).map((task) => task.fence);
        expect(
          real.within(5, 20).flatMap(([base, count]) => Array.from({ length: count }, (_, at) => base + at)),
        ).toEqual(near);
      }
    }),
    { numRuns: 300 },
  );
});
