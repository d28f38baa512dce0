import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aJob, aTask } from '../../../test/support/cli-world.ts';
import type { JobView } from '../../api/job.ts';
import type { QueueJob, QueueTask } from '../../api/queue.ts';
import { lookUpNames } from './look-up-names.ts';
import { jsonText, listPieces, listText } from './openapi-text.ts';
import { eachTask, mergeWaiting, type QueueRow, readRows, rowId, rowsOf } from './queue-rows.ts';
import {
  rowCpus,
  rowCpusPerTask,
  rowEnd,
  rowGres,
  rowMemory,
  rowNodeCount,
  rowNodeList,
  rowPriority,
  rowRanks,
  rowShare,
  rowTres,
  sizeText,
} from './queue-values.ts';
import { readTimeFormat } from './time-format.ts';
import { gidOfJob, groupOfJob, readUsers } from './users.ts';

const MIB = 2 ** 20;
const lane = { priority: 0, cpus: 1, memoryBytes: 0, timeLimitMs: 0 };

function rowOf(job: Partial<JobView>, task: Partial<QueueTask> = {}, part: Partial<typeof lane> = {}): QueueRow {
  const view = aJob(job);
  const tasks = [{ ...aTask(0, { state: 'running', startedAt: 1_000_000, worker: 'n1', ...task }), lane: 0 }];
  return rowsOf({ job: view, lanes: [{ ...lane, ...part }], groups: [], tasks })[0]!;
}

describe('sizes', () => {
  test.each([
    [0, '0'],
    [1, '1M'],
    [100 * MIB, '100M'],
    [1_500 * MIB, '1500M'],
    [2_048 * MIB, '2G'],
    [2 ** 42, '4T'],
    [2 ** 62, '4096P'],
  ])('%i', (bytes, text) => expect(sizeText(bytes)).toBe(text));
});

describe('what a row has', () => {
  test('of one node', () => {
    const row = rowOf({ slurm: { memPer: 'cpu', gres: 'gpu:a100:2' } }, {}, { cpus: 4, memoryBytes: 800 * MIB });
    expect([rowCpus(row), rowMemory(row), rowNodeCount(row), rowNodeList(row), rowRanks(row)]).toEqual([
      4,
      { bytes: 200 * MIB, per: 'CPU' },
      1,
      'n1',
      1,
    ]);
    expect([rowTres(row), rowGres(row), rowShare(row)]).toEqual([
      'cpu=4,mem=800M,node=1,billing=4',
      'gres:gpu:a100:2',
      'OK',
    ]);
  });

  test('of several nodes', () => {
    const nodes = [1, 2, 3].map((n) => ({ name: `n${n}`, cpus: 4, tasks: 2 }));
    const gang = { tasks: 6, cpusPerTask: 2, memoryBytesPerTask: 0, gpusPerTask: 0 };
    const row = rowOf({ gang, exclusive: true }, { nodes }, { memoryBytes: 2 ** 30 });
    expect([rowCpus(row), rowNodeCount(row), rowNodeList(row), rowRanks(row), rowCpusPerTask(row)]).toEqual([
      12,
      3,
      'n[1-3]',
      6,
      2,
    ]);
    expect([rowTres(row), rowShare(row)]).toEqual(['cpu=12,mem=3G,node=3,billing=12', 'NO']);
  });

  test('of time and priority', () => {
    const row = rowOf({}, {}, { timeLimitMs: 60_000, priority: -5 });
    expect([rowEnd(row, 1_010_000), rowPriority(row)]).toEqual([1_060_000, 4_294_901_755]);
    expect(rowPriority({ ...row, reasons: ['JobHeldUser'] })).toBe(0);
  });
});

test('parts of a job from several pages are one again', async () => {
  const group = { state: 'ready', reason: 'Resources', count: 2, lane: 0 } as const;
  const part = (indices: string, tasks: QueueTask[] = []): QueueJob => ({
    job: aJob({ size: 100 }),
    lanes: [lane],
    groups: [{ ...group, indices }],
    tasks,
  });
  const rows = await readRows([part('1-2'), part('5-6'), { ...part('7'), job: aJob({ id: 13, size: 2 }) }]);
  expect(rows.map((row) => rowId(row, {}))).toEqual(['12_[1-2,5-6]', '13_7']);
  expect([...eachTask(rows[0]!)].map((row) => rowId(row, {}))).toEqual(['12_1', '12_2', '12_5', '12_6']);
});

test('tasks that are about to start say nothing of the others', () => {
  const groups = [
    { state: 'leased', reason: 'None', indices: '0-1', count: 2, lane: 0 } as const,
    { state: 'ready', reason: 'JobArrayTaskLimit', indices: '2-9', count: 8, lane: 0 } as const,
  ];
  const [row, ...others] = mergeWaiting(rowsOf({ job: aJob({ throttle: 2 }), lanes: [lane], groups, tasks: [] }));
  expect(others).toEqual([]);
  expect([rowId(row!, {}), row!.reasons]).toEqual(['12_[0-9%2]', ['JobArrayTaskLimit']]);
});

describe('times', () => {
  const now = Date.UTC(2026, 10, 21, 21, 40, 20);
  const days = (count: number) => now + count * 86_400_000;
  const zone = () => 0;
  test.each([
    [0, '21:40:20'],
    [-1, 'Ystday 21:40'],
    [1, 'Tomorr 21:40'],
    [4, 'Wed 21:40'],
    [6, 'Fri 21:40'],
    [7, '28 Nov 21:40'],
    [40, '31 Dec 21:40'],
    [400, '26 Dec 2027'],
  ])('relative, %i days away', (count, text) => {
    expect(readTimeFormat({ SLURM_TIME_FORMAT: 'relative' }, now, zone).text(days(count))).toBe(text);
  });

  test.each([
    ['%H:%M %b %e %j %a %A', '21:40 Nov 21 325 Sat Saturday'],
    ['%B %y %Y %p %I %D', 'November 26 2026 PM 09 11/21/26'],
    ['%R %T %F %% %d %m %S %h', '21:40 21:40:20 2026-11-21 % 21 11 20 Nov'],
    ['%k %l %u %w %Q', '21  9 6 6 %Q'],
    ['standard', '2026-11-21T21:40:20'],
    ['', '2026-11-21T21:40:20'],
  ])('by %j', (format, text) => {
    expect(readTimeFormat({ SLURM_TIME_FORMAT: format }, now, zone)).toMatchObject({ text: expect.any(Function) });
    expect(readTimeFormat({ SLURM_TIME_FORMAT: format }, now, zone).text(now)).toBe(text);
  });

  test('by no format', () => {
    const { text, fault } = readTimeFormat({ SLURM_TIME_FORMAT: 'x' }, now, zone);
    expect([text(now), fault]).toEqual(['2026-11-21T21:40:20', "invalid SLURM_TIME_FORMAT = 'x'"]);
    expect(readTimeFormat({ SLURM_TIME_FORMAT: '%H'.repeat(16) }, now, zone).fault).toContain('invalid');
  });
});

test('groups are those of the submitter, else of this machine', () => {
  const files = new Map([
    ['/etc/passwd', 'ada:x:1000:1007::/:/bin/sh\n'],
    ['/etc/group', 'crew:x:1007:\n'],
  ]);
  const users = readUsers(
    lookUpNames(
      (path) => files.get(path) ?? '',
      () => '',
    ),
  );
  expect([gidOfJob({ owner: 'ada' }, users), groupOfJob({ owner: '1000' }, users)]).toEqual([1007, 'crew']);
  const slurm = { gid: 5, group: 'five' };
  expect([gidOfJob({ owner: '1', slurm }, users), groupOfJob({ owner: '1', slurm }, users)]).toEqual([5, 'five']);
  expect([gidOfJob({ owner: 'eve' }, users), groupOfJob({ owner: 'eve' }, users)]).toEqual([65_534, '65534']);
});

test('data are written as Slurm writes them', () => {
  const data = { a: [], 'b c': { d: { float: 2 }, e: '/x', f: null, g: '' }, h: [1, { i: true, j: 'x y' }] };
  expect(JSON.parse(jsonText(data))).toEqual({ ...data, 'b c': { d: 2, e: '/x', f: null, g: '' } });
  expect(jsonText({ a: [], b: { float: 1.5 }, c: { float: 1 }, d: '/x' })).toBe(
    '{\n  "a": [\n  ],\n  "b": 1.5,\n  "c": 1.0,\n  "d": "\\/x"\n}',
  );
  expect(listText('yaml', 'k').item(data)).toBe(
    '\n- !!map\n  !!str a: !!seq []\n  !!str b c: !!map\n    !!str d: !!float 2.000000\n    !!str e: !!str /x\n' +
      '    !!str f: !!null null\n    !!str g: !!null null\n  !!str h: !!seq\n  - !!int 1\n  - !!map\n    !!str i: !!bool true\n    !!str j: !!str x y',
  );
});

test('texts and numbers are what JSON reads back', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"b', 'a\\b', '/', "'", '<&>', '\n', ''));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())),
      (items) => {
        expect(JSON.parse(jsonText(items))).toEqual(JSON.parse(JSON.stringify(items)));
      },
    ),
  );
  expect(jsonText([Number.NaN, 1 / 0])).toBe('[\n  null,\n  null\n]');
});

test('data steer no terminal', () => {
  const data = { a: 'x\u009b2J\u202e\u{e0001}\u2028\x7f\x1b', b: 'ÄÖ 😀' };
  const text = '{\n  "a": "x\\u009b2J\\u202e\\udb40\\udc01\\u2028\\u007f\\u001b",\n  "b": "ÄÖ 😀"\n}';
  expect(jsonText(data)).toBe(text);
  expect(JSON.parse(text)).toEqual(data);
  expect(listText('yaml', 'k').item(data)).toContain('"x\\u009b2J\\u202e\\U000e0001\\u2028\\u007f\\u001b"');
});

test.each(['json', 'yaml'] as const)('a list in pieces is the list, in %s', (kind) => {
  const whole = (items: readonly string[]) => [...listPieces(listText(kind, 'jobs'), items)].join('');
  const head = kind === 'json' ? '"errors": [\n  ],\n  "jobs": [' : '!!str errors: !!seq []\n!!str jobs: !!seq';
  const [none, one, two] = [[], ['a'], ['a', 'b']].map((items) => whole(items).split(head)[1]);
  if (kind === 'json') {
    expect([none, one, two]).toEqual(['\n  ]\n}', '\n    "a"\n  ]\n}', '\n    "a",\n    "b"\n  ]\n}']);
    expect(JSON.parse(whole(['a', 'b']))).toMatchObject({ meta: { Slurm: { release: '22.05.8' } }, jobs: ['a', 'b'] });
  } else {
    expect([none, one, two]).toEqual([' []\n...\n', '\n- !!str a\n...\n', '\n- !!str a\n- !!str b\n...\n']);
  }
});
