import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let box: Sandbox;
const ids: Record<string, string> = {};

/** What a command prints; it must end with 0. */
async function out(...words: readonly string[]): Promise<string> {
  const { code, out: text, err } = await box.spawn(words);
  expect([code, err]).toEqual([0, '']);
  return text;
}

const lines = async (...words: readonly string[]) => (await out(...words)).trimEnd().split('\n');

async function submit(name: string, ...words: readonly string[]): Promise<string> {
  const id = (await out('sbatch', '--parsable', '-J', name, '-o', '/dev/null', ...words)).trim();
  ids[name] = id;
  return id;
}

beforeAll(async () => {
  box = makeSandbox();
  await submit('ok', '-W', '--wrap', 'head -c 20000000 /dev/zero | tail -c 1 >/dev/null');
  await Promise.all([
    submit('bad', '--mem=300', '-t', '5', '-A', 'lab', '--wrap', 'exit 3'),
    submit('arr', '--array=1-3', '--wrap', 'exit $((SLURM_ARRAY_TASK_ID==2))'),
    submit('sig', '--wrap', 'kill -9 $$'),
    submit('held', '-H', '--array=5-9%2', '--wrap', 'true'),
  ]);
  const long = await submit('canc', '--wrap', 'sleep 60');
  await untilState(long, 'RUNNING');
  await out('cancel', long);
  const states = ['sacct', '-n', '-X', '-P', '-o', 'state', '-j', ended()];
  await until('the end of the jobs', async () => !(await out(...states)).includes('ING'));
}, 60_000);
afterAll(async () => await box.close());

async function untilState(id: string, state: string): Promise<void> {
  const words = ['sacct', '-n', '-X', '-P', '-o', 'state', '-j', id];
  await until(`job ${id} to be ${state}`, async () => (await out(...words)) === `${state}\n`);
}

const all = () => Object.values(ids).join(',');
const ended = () => ['ok', 'bad', 'arr', 'sig', 'canc'].map((name) => ids[name]).join(',');

test('what became of jobs is told as Slurm tells it', async () => {
  const uid = process.getuid!();
  const { ok, bad, arr, sig, held, canc } = ids;
  const rows = await lines('sacct', '-n', '-P', '-j', all(), '-o', 'JobID,JobName,State,ExitCode');
  const plain = [
    [`${ok}|ok|COMPLETED|0:0`, `${ok}.batch|batch|COMPLETED|0:0`],
    [`${bad}|bad|FAILED|3:0`, `${bad}.batch|batch|FAILED|3:0`],
    [`${sig}|sig|FAILED|0:9`, `${sig}.batch|batch|CANCELLED|0:9`],
    [`${canc}|canc|CANCELLED by ${uid}|0:0`, `${canc}.batch|batch|CANCELLED|0:15`],
  ];
  const arrays = [
    [1, 2, 3].flatMap((index) => {
      const end = index === 2 ? 'FAILED|1:0' : 'COMPLETED|0:0';
      return [`${arr}_${index}|arr|${end}`, `${arr}_${index}.batch|batch|${end}`];
    }),
    [`${held}_[5-9%2]|held|PENDING|0:0`],
  ];
  const byJob = (some: string[][]) => some.toSorted((a, b) => Number.parseInt(a[0]!, 10) - Number.parseInt(b[0]!, 10));
  expect(rows).toEqual([...byJob(plain), ...byJob(arrays)].flat());
});

test('what was used is told of the step', async () => {
  const [job, step] = await lines('sacct', '-n', '-P', '-j', ids.ok!, '-o', 'MaxRSS,NodeList,Elapsed,ReqMem');
  expect(job).toMatch(/^\|[\w.-]+\|\d\d:\d\d:\d\d\|0$/);
  expect(step).toMatch(/^\d+[KM]\|[\w.-]+\|\d\d:\d\d:\d\d\|$/);
  expect(await lines('sacct', '-n', '-X', '-P', '-j', ids.bad!, '-o', 'ReqMem,Timelimit,Account')).toEqual([
    '300M|00:05:00|lab',
  ]);
});

test('the line of every client is answered', async () => {
  const { ok, bad, arr } = ids;
  expect(await lines('sacct', '-P', '-n', '--format=JobIdRaw,State', '-j', bad!)).toEqual([
    `${bad}|FAILED`,
    `${bad}.batch|FAILED`,
  ]);
  expect(await lines('sacct', '-P', '-b', '-j', ok!, '-n')).toEqual([
    `${ok}|COMPLETED|0:0`,
    `${ok}.batch|COMPLETED|0:0`,
  ]);
  expect(await lines('sacct', '-o', 'JobID,State', '--parsable2', '-j', arr!, '-j', ok!)).toContain(`${arr}_2|FAILED`);
  expect(await lines('sacct', '-X', '--noheader', '--format=jobid,state%20', '--job', `${ok},${bad}`)).toEqual([
    `${ok!.padEnd(12)} ${'COMPLETED'.padStart(20)} `,
    `${bad!.padEnd(12)} ${'FAILED'.padStart(20)}`,
  ]);
  const snakemake = '-X --parsable2 --clusters all --noheader --format=JobIdRaw,State --endtime now --name bad';
  expect(await lines('sacct', ...snakemake.split(' '), '--starttime', '2001-01-01T00:00')).toEqual([`${bad}|FAILED`]);
  expect(await lines('sacct', '-j', '99999999')).toHaveLength(2);
  expect((await out('sacct', '-X')).split('\n')[0]).toContain('JobID           JobName');
  expect((await lines('sinfo', '-o', '%P'))[1]).toBe('main*');
  expect(await out('sinfo', '-h', '-N', '-o', '%N %t')).toMatch(/^[\w.-]+ (idle|mix|alloc)\n$/);
  expect((await out('sshare', '-U', '--format', 'Account%256', '--noheader')).split(/\s+/)).toContain('lab');
  expect(JSON.parse(await out('sacct', '--json', '-j', arr!)).jobs).toHaveLength(3);
});

test('windows and states choose jobs', async () => {
  const names = async (...words: readonly string[]) =>
    (await lines('sacct', '-n', '-X', '-P', '-o', 'JobName', ...words)).filter((name) => name !== '');
  const today = ['-S', 'now-1hour', '-E', 'now'];
  expect(await names(...today, '-s', 'F')).toEqual(['bad', 'sig', 'arr'].toSorted(byNumber));
  expect(await names(...today, '-s', 'CA')).toEqual(['canc']);
  expect(await names('-S', 'now-1hour', '-E', 'now', '-A', 'lab')).toEqual(['bad']);
  expect(await names('-E', 'now-1hour', '-S', '2001-01-01')).toEqual([]);
  // It was held from its submit on and never could have run.
  expect(await names('-S', 'now-1hour')).not.toContain('held');
});

/** As sacct has them: arrays last. */
function byNumber(a: string, b: string): number {
  const place = (name: string) => Number(ids[name]) + (name === 'arr' ? 1e6 : 0);
  return place(a) - place(b);
}

test('attempts that were sent back have rows of their own', async () => {
  const id = await submit('again', '--wrap', '[ -n "$SLURM_RESTART_COUNT" ] || sleep 60');
  await untilState(id, 'RUNNING');
  await out('requeue', id);
  await untilState(id, 'COMPLETED');
  expect(await lines('sacct', '-n', '-P', '-D', '-o', 'JobID,State,ExitCode', '-j', id)).toEqual([
    `${id}|REQUEUED|0:0`,
    `${id}.batch|CANCELLED|0:15`,
    `${id}|COMPLETED|0:0`,
    `${id}.batch|COMPLETED|0:0`,
  ]);
});
