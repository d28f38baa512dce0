import { describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { aMember, anInstance, having } from '../../../test/support/instance-views.ts';

test.each([
  ['stop', 'compute-0'],
  ['hibernate', 'compute-0'],
  ['start', 'compute-0'],
  ['extend', 'compute-0', '4h'],
  ['interrupt', 'compute-0'],
])('%s takes -y, whether it asks or not', async (...argv) => {
  const client = having([anInstance(0)], [aMember(0)]);
  expect((await runCli([...argv, '-y'], { client })).code).toBe(0);
});

test('extend of what has no TTL tells how it gets one', async () => {
  const { ttlLeftMs: _, ...endless } = anInstance(0);
  const { ttlLeftMs: __, ...member } = aMember(0, { state: 'running', changed: false, acknowledged: true });
  const ran = await runCli(['extend', 'compute-0', '2h'], { client: having([endless], [member]), tty: true });
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toContain('none → none  it has no TTL; --ttl gives it one\n');
});

describe('terminate', () => {
  const two = [anInstance(0), anInstance(1, { state: 'stopped' })];
  const gone = (index: number, changed = true) => aMember(index, { state: 'terminated', changed });

  test('asks, and needs -y where nobody can be asked', async () => {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return 'y';
    };
    const options = { client: having(two, [gone(0), gone(1)]), world: { ask } };
    const ran = await runCli(['terminate', '--job-array-name', 'compute'], { ...options, stdin: 'terminal' });
    expect(asked).toEqual([
      'Terminate 2 instances, 1 running, 1 stopped? What runs there and its disk go for ever. [y/N] ',
    ]);
    expect(ran).toMatchObject({ code: 0, err: 'spawn: terminate: 2 instances terminated\n' });
    const refused = await runCli(['terminate', '--job-array-name', 'compute'], options);
    expect(refused).toEqual({
      code: 2,
      out: '',
      err: 'spawn: terminate: expected -y where nobody can be asked (standard input is no terminal), found none\n',
      calls: [],
    });
    expect((await runCli(['terminate', '-y', 'compute-0'], options)).code).toBe(0);
  });

  test('one instance is asked for by its name', async () => {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return '';
    };
    await runCli(['terminate', 'compute-0'], { client: having([two[0]!], []), world: { ask }, stdin: 'terminal' });
    expect(asked).toEqual([
      'Terminate compute-0 (i-00000000000000000, running)? What runs there and its disk go for ever. [y/N] ',
    ]);
  });

  test('a second time there is nothing to do, and nothing to ask', async () => {
    const before = two.map((instance) => ({ ...instance, state: 'terminated' as const }));
    const ran = await runCli(['terminate', '--job-array-id', 'compute-20260113-abc123'], {
      client: having(before, [gone(0, false), gone(1, false)]),
      stdin: 'terminal',
    });
    expect(ran).toMatchObject({
      code: 0,
      err: 'spawn: terminate: no instance terminated, 2 with nothing to do\n',
    });
  });
});

describe('extend', () => {
  const members = [aMember(0, { state: 'running', ttlLeftMs: 21_600_000 })];
  const client = having([anInstance(0)], members);

  test.each<[string[], object]>([
    [['--job-array-name', 'compute', '4h'], { target: { arrayName: 'compute' }, byMs: 14_400_000 }],
    [['--job-array-name', 'compute', '--ttl', '8h'], { target: { arrayName: 'compute' }, ttlMs: 28_800_000 }],
    [['--ttl', '1d12h30m', 'compute-0'], { target: { instance: 'compute-0' }, ttlMs: 131_400_000 }],
    [['compute-0', '2h'], { target: { instance: 'compute-0' }, byMs: 7_200_000 }],
    [['i-0abc', '90m', '--timeout', '1s'], { target: { instance: 'i-0abc' }, byMs: 5_400_000, waitMs: 1_000 }],
  ])('%j asks for %j', async (words, request) => {
    const ran = await runCli(['extend', ...words], { client });
    expect(ran.calls[1]).toEqual(['instanceVerb', 'extend', request]);
    expect(ran).toMatchObject({ code: 0, err: 'spawn: extend: 1 instance extended\n' });
    expect(ran.out).toBe('compute-0\ti-00000000000000000\trunning\trunning\tdone\t\t7200\t21600\n');
  });

  test('on a terminal: how much was left and is', async () => {
    const before = [anInstance(0), anInstance(1, { ttlMs: 0 })];
    delete before[1]!.ttlLeftMs;
    const none = { ...aMember(1, { state: 'running', changed: false, note: 'it has no TTL' }) };
    delete none.ttlLeftMs;
    const ran = await runCli(['extend', '--tag', 'a=b', '4h'], {
      client: having(before, [...members, none]),
      tty: true,
    });
    expect(ran.code).toBe(1);
    expect(ran.out).toBe(
      'NAME       ID                   TTL LEFT       NOTE\n' +
        'compute-0  i-00000000000000000  2h00m → 6h00m\n' +
        'compute-1  i-00000000000000001  none → none    not possible: it has no TTL\n' +
        '1 instance extended, 1 not possible\n',
    );
  });
});

test('interrupt gives the notice that was asked for', async () => {
  const client = having([anInstance(3, { spot: true })], [aMember(3, { state: 'running' })]);
  const plain = await runCli(['interrupt', 'compute-3'], { client });
  expect(plain.calls[1]).toEqual(['instanceVerb', 'interrupt', { target: { instance: 'compute-3' } }]);
  const short = await runCli(['interrupt', 'compute-3', '--notice', '10s'], { client });
  expect(short.calls[1]![2]).toEqual({ target: { instance: 'compute-3' }, noticeMs: 10_000 });
});
