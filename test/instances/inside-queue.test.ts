import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { ended, Members } from './inside-members.ts';

const COUNT = 3;
let members: Members;
beforeAll(() => {
  members = new Members(COUNT);
  members.startAll();
});
afterAll(() => members.close());

const spored = (index: number, ...argv: string[]) => members.run(index, ['spored', ...argv]);
const shell = (index: number, line: string, input = '') => members.run(index, ['sh', '-c', line], { input });
const numbers = (count: number) => Array.from({ length: count }, (_, at) => `item ${at}`);
interface Status {
  readonly ready: number;
  readonly taken: number;
  readonly done: number;
  readonly held: readonly { readonly id: number; readonly instance: string }[];
}
const status = async (index: number, name: string) =>
  JSON.parse((await spored(index, 'queue', 'status', name, '-o', 'json')).out) as Status;

test('gives items in the order in which they were pushed, to whichever member asks', async () => {
  expect(await spored(0, 'queue', 'push', 'order', 'a b', 'c\td')).toMatchObject({ code: 0, out: '2 items pushed\n' });
  expect(await shell(1, 'spored queue push order -', 'e\n\nf')).toMatchObject({ code: 0, out: '2 items pushed\n' });
  const hold =
    'spored queue take order; spored queue take order -o json; spored queue done order 1; spored queue status order';
  expect((await shell(2, hold)).out).toBe(
    `1\ta b\n{"id":2,"item":"c\\td"}\nready 2  taken 1  done 1\n  2  ${members.id(2)}\n`,
  );
  // The session that held item 2 has ended without a word.
  expect(await spored(0, 'queue', 'take', 'order')).toMatchObject({ code: 0, out: '3\te\n' });
  expect((await spored(0, 'queue', 'take', 'none')).out).toBe('');
});

test('who does not hold an item cannot finish it', async () => {
  await spored(0, 'queue', 'push', 'mine', 'x');
  const holder = members.begin(1, ['sh', '-c', 'spored queue take mine; read line; spored queue done mine 1']);
  const end = ended(holder);
  await until('the item to be taken', async () => (await status(0, 'mine')).taken === 1);
  const why = `item 1: expected one that this instance holds, but ${members.id(1)} holds it`;
  expect(await spored(0, 'queue', 'done', 'mine', '1')).toMatchObject({ code: 1, err: `spored queue: ${why}\n` });
  holder.stdin?.end('go\n');
  expect(await end).toMatchObject({ code: 0, out: '1\tx\n' });
  expect(await spored(1, 'queue', 'done', 'mine', '1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('done already'),
  });
  expect(await spored(1, 'queue', 'done', 'mine', '7')).toMatchObject({
    code: 1,
    err: expect.stringContaining('not taken'),
  });
});

test('a take that waits gets what is pushed meanwhile, by another member', async () => {
  const waiting = members.begin(0, ['sh', '-c', 'touch waiting; exec spored queue take late --wait 30s']);
  const end = ended(waiting);
  await until('the take', async () => (await shell(0, 'ls waiting')).code === 0);
  await spored(1, 'queue', 'push', 'late', 'now');
  expect(await end).toMatchObject({ code: 0, out: '1\tnow\n' });
  expect(await spored(0, 'queue', 'take', 'late', '--wait', '10ms')).toMatchObject({ code: 0, out: '1\tnow\n' });
});

test('the script of the tutorial drains a queue over all members, each item exactly once', async () => {
  const fixture = fileURLToPath(new URL('../fixtures/instances/drain.sh', import.meta.url));
  await shell(0, 'spored queue push work -', numbers(120).join('\n'));
  const ran = await Promise.all(
    Array.from({ length: COUNT }, (_, index) => members.run(index, ['bash', '-c', readFileSync(fixture, 'utf8')])),
  );
  expect(ran.map(({ code }) => code)).toEqual([0, 0, 0]);
  const lines = (await shell(0, 'cat done-*.txt')).out.trim().split('\n');
  expect(lines.map((line) => line.replace(/ \d$/, '')).toSorted()).toEqual(numbers(120).toSorted());
  expect(await status(0, 'work')).toMatchObject({ ready: 0, taken: 0, done: 120 });
});

test('what workers held that were killed is done by others, and nothing twice', async () => {
  await shell(0, 'spored queue push kill -', numbers(60).join('\n'));
  const worker = `while line=$(spored queue take kill --wait 200ms) && [ -n "$line" ]; do
    id=\${line%%\t*}; sleep 0.005; spored queue done kill $id && echo "\${line#*\t}" >> "kill-$1.txt"
  done`;
  const drain = (index: number, name: string) => members.begin(index, ['sh', '-c', worker, 'sh', name]);
  const victims = [0, 1, 1, 0].map((index, at) => {
    const child = drain(index, `victim-${at}`);
    return { end: ended(child), child };
  });
  await until('some work', async () => (await status(2, 'kill')).done >= 8);
  // The client of exec.sock dies: its whole session is ended over there.
  for (const { child } of victims) child.kill('SIGKILL');
  await Promise.all(victims.map(({ end }) => end));
  await until('the rest to be done', async () => {
    await ended(drain(2, 'rest'));
    const { ready, taken } = await status(2, 'kill');
    return ready === 0 && taken === 0;
  });
  expect(await status(2, 'kill')).toMatchObject({ done: 60 });
});

test('what a member held that is gone goes back, also when it comes again', async () => {
  await spored(0, 'queue', 'push', 'gone', 'one', 'two');
  const hold = (name: string) =>
    members.begin(1, ['sh', '-c', `spored queue take gone; touch ${name}; exec sleep 1000`]);
  const end = ended(hold('held'));
  await until('it to hold', async () => (await shell(0, 'ls held')).code === 0);
  expect(await status(0, 'gone')).toMatchObject({ ready: 1, taken: 1 });
  await members.halt(1, 'stop');
  expect(await end).toMatchObject({ code: 128 + 15 });
  expect(await status(0, 'gone')).toMatchObject({ ready: 2, taken: 0 });
  members.start(1);
  members.writePeers(1);
  expect((await spored(1, 'queue', 'take', 'gone')).out).toBe('1\tone\n');
});

test('pushes at the same time give every item a number of its own', async () => {
  const push = (index: number) => shell(index, `spored queue push many -`, numbers(300).join('\n'));
  await Promise.all([push(0), push(1), push(2), push(0)]);
  const taken = await shell(0, 'while line=$(spored queue take many) && [ -n "$line" ]; do echo "$line"; done');
  const ids = taken.out
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[0]));
  expect(ids).toEqual(Array.from({ length: 1_200 }, (_, at) => at + 1));
});
