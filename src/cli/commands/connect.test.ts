import { expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { anInstance } from '../../../test/support/instance-views.ts';
import type { InstanceView } from '../../api/instance.ts';
import type { Entering } from '../world.ts';

/** Runs `spawn connect` where the coordinator tells these views, one call after the other; the last for ever. */
async function connect(argv: readonly string[], views: readonly (readonly InstanceView[])[], tty = false) {
  const entered: Entering[] = [];
  let at = 0;
  let now = 0;
  const ran = await runCli(['connect', ...argv], {
    tty,
    ...(tty ? { stdin: 'terminal' as const } : {}),
    client: {
      instances: async () => ({ instances: views[Math.min(at++, views.length - 1)]! }),
      instanceVerb: async () => ({ members: [] }),
    },
    world: {
      now: () => (now += 1_000),
      enter: async (what) => {
        entered.push(what);
        return 42;
      },
    },
  });
  return { ...ran, entered };
}

const one = (part: Partial<InstanceView> = {}) => [
  anInstance(3, { id: 'i-0abc', name: 'compute-3', state: 'running', ...part }),
];

test.each<[string[], boolean, Omit<Entering, 'id'>]>([
  [[], false, { argv: [], terminal: false, login: true }],
  [[], true, { argv: [], terminal: true, login: true }],
  [
    ['--', 'echo $A; pwd'],
    false,
    { argv: ['/bin/sh', '-lc', expect.stringMatching(/job-array.sh"; echo \$A; pwd$/)], terminal: false, login: false },
  ],
  [
    ['--', 'ls', '-l', 'a b'],
    true,
    {
      argv: ['/bin/sh', '-lc', expect.stringMatching(/job-array.sh"; exec "\$@"$/), 'sh', 'ls', '-l', 'a b'],
      terminal: true,
      login: true,
    },
  ],
])('runs what follows -- in a login shell: %j', async (rest, tty, entering) => {
  const { code, entered } = await connect(['compute-3', ...rest], [one()], tty);
  expect([code, entered]).toEqual([42, [{ id: 'i-0abc', ...entering }]]);
});

test.each(['stopped', 'hibernated'] as const)(
  'starts an instance that is %s, and waits until it runs',
  async (state) => {
    const views = [one({ state }), one({ state }), one({ state: 'pending' }), one()];
    const { code, calls, err } = await connect(['compute-3'], views);
    expect([code, err]).toEqual([42, `starting compute-3, which is ${state}\n`]);
    expect(calls.filter(([name]) => name === 'instanceVerb')).toEqual([
      ['instanceVerb', 'start', { target: { instance: 'i-0abc' } }],
    ]);
  },
);

test('waits for one that is pending, but not for ever', async () => {
  expect(await connect(['compute-3'], [one({ state: 'pending' }), one()])).toMatchObject({ code: 42, err: '' });
  expect(await connect(['compute-3', '--timeout', '5s'], [one({ state: 'pending' })])).toMatchObject({
    code: 65,
    err: 'spawn: instance compute-3: expected it to run, found pending after 5 s\n',
    entered: [],
  });
});

test('of machines that had the name one after the other, takes the one that lives', async () => {
  const old = one({ id: 'i-0old', state: 'terminated', createdAt: 9 });
  expect((await connect(['compute-3'], [[...old, ...one({ createdAt: 1 })]])).entered).toMatchObject([
    { id: 'i-0abc' },
  ]);
});

test.each<[string[], readonly InstanceView[], number, string]>([
  [
    ['compute-3'],
    one({ state: 'terminated', reason: 'ttl' }),
    65,
    'instance compute-3: expected one that runs or can be started, found terminated (ttl); what it wrote: spawn logs compute-3',
  ],
  [
    ['compute-3'],
    one({ state: 'shutting-down' }),
    65,
    'instance compute-3: expected one that runs or can be started, found shutting-down; what it wrote: spawn logs compute-3',
  ],
  [
    ['compute-3', '--no-start'],
    one({ state: 'stopped' }),
    65,
    'instance compute-3: expected one that runs, found stopped; without --no-start it is started',
  ],
  [
    ['compute-3'],
    [...one(), ...one({ id: 'i-0def' })],
    65,
    'instance compute-3: expected one that lives, found i-0abc, i-0def; use the id',
  ],
  [['compute-9'], [], 66, 'instance "compute-9" not found'],
  [['Compute_3'], [], 2, 'connect: expected the name or id of an instance, as compute-3, found "Compute_3"'],
  [['12'], [], 2, 'connect: expected the name or id of an instance, as compute-3, found "12"'],
  [[], [], 2, 'connect: expected NAME|ID, found nothing; see: spawn help connect'],
  [['a', 'b'], [], 2, 'connect: expected only one NAME|ID, found "b" too'],
  [['a', '--user', 'x'], [], 2, 'connect: unknown option "--user"; see: spawn help connect'],
])('%j is refused', async (argv, views, code, says) => {
  const ran = await connect(argv, [views]);
  expect([ran.code, ran.err, ran.entered]).toEqual([code, `spawn: ${says}\n`, []]);
});
