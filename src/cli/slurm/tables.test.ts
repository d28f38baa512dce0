import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { acctHeader, acctLine, readAcctFormat } from './acct-format.ts';
import { sayNotes } from './notes.ts';
import { readNamedFormat, readPercentFormat, rowLine, titleLine, toWidth } from './percent-format.ts';
import { orderBy, readSortKeys } from './sort-keys.ts';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly name: string;
}

const row: Row = { id: '42_[5-1024%4]', state: 'PD', name: 'näme-longer' };
const letters = {
  i: { title: 'JOBID', value: ({ id }: Row) => id },
  t: { title: 'ST', value: ({ state }: Row) => state },
  j: { title: 'NAME', value: ({ name }: Row) => name },
  x: { title: 'EXC_NODES', value: () => '' },
};
const percent = (text: string) => {
  const format = readPercentFormat(text, letters);
  return [titleLine(format), rowLine(format, row), ...format.unknown];
};

// Answers of Slurm 22.05.8.
describe('a format with %', () => {
  test.each([
    ['%i %t', ['JOBID ST\n', '42_[5-1024%4] PD\n']],
    [
      '[%20i][%.20i][%5i][%.5i]',
      [
        '[JOBID               ][               JOBID][JOBID][JOBID]\n',
        '[42_[5-1024%4]       ][       42_[5-1024%4]][42_[5][42_[5]\n',
      ],
    ],
    ['[%20i][%-20i]', ['[JOBID               ][%-20i]\n', '[42_[5-1024%4]       ][%-20i]\n', '-']],
    ['%5!x|%.8j|%4j|%2j|', ['%5!x|    NAME|NAME|NA|\n', '%5!x|näme-lon|näme|nä|\n', '!']],
    ['%i %!x %i', ['JOBID %!x JOBID\n', '42_[5-1024%4] %!x 42_[5-1024%4]\n', '!']],
    ['plain text', ['plain text\n', 'plain text\n']],
    ['%i%%x|', ['JOBIDEXC_NODES|\n', '42_[5-1024%4]|\n']],
    ['a%ib%tc', ['aJOBIDbSTc\n', 'a42_[5-1024%4]bPDc\n']],
    ['%.t|%0t|%03t|', ['ST|ST|ST |\n', 'PD|PD|PD |\n']],
    ['%', ['\n', '\n']],
    ['%t%', ['ST\n', 'PD\n']],
    ['%.', ['%.\n', '%.\n', '']],
    ['%20', ['%20\n', '%20\n', '']],
    ['100%t', ['100ST\n', '100PD\n']],
    ['%t\\n%t', ['ST\\nST\n', 'PD\\nPD\n']],
    ['', ['\n', '\n']],
  ])('%j', (text, lines) => expect(percent(text)).toEqual(lines));

  test('a control character makes no line, and a wide column no flood', () => {
    const format = readPercentFormat('%j|%99999999i|', letters);
    const line = rowLine(format, { ...row, name: 'new\nline\u001b[2J' });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line).toContain('new·line·[2J|');
    expect(line.length).toBeLessThan(100_100);
    expect(readPercentFormat('%constructor', letters).unknown).toEqual(['c']);
  });

  test('a column is as wide as it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), fc.boolean(), (text, width, right) => {
        expect([...toWidth(text, width, right)]).toHaveLength(width);
      }),
    );
  });
});

describe('a format with names', () => {
  const names = { jobid: letters.i, name: letters.j, state: letters.t };
  const named = (text: string) => {
    const format = readNamedFormat(text, names);
    return [titleLine(format), rowLine(format, { ...row, id: '42' }), ...format.unknown];
  };
  test.each([
    ['jobid,nope', ['JOBID               \n', '42                  \n', 'nope']],
    ['jobid:5,name:', ['JOBIDNAME\n', '42   näme-longer\n']],
    ['JobID:.5:x', ['JOBID:x\n', '   42:x\n']],
    ['name:3;jobid', ['NAM;jobid\n', 'näm;jobid\n']],
    ['JobID:x', ['JOBIDx\n', '42x\n']],
    ['state:4,,name:5', ['ST  NAME \n', 'PD  näme-\n']],
    [' jobid', ['\n', '\n', ' jobid']],
  ])('%j', (text, lines) => expect(named(text)).toEqual(lines));
});

describe('sacct', () => {
  const fields = [
    { title: 'JobID', width: -12, value: ({ id }: Row) => id },
    { title: 'JobName', width: 10, value: ({ name }: Row) => name },
    { title: 'State', width: 10, value: ({ state }: Row) => state },
  ];
  const columns = { kind: 'columns' } as const;
  const cancelled = { id: '7', name: 'ok', state: 'CANCELLED by 65534' };
  const lines = (text: string) => {
    const format = readAcctFormat(text, fields);
    return acctHeader(format, columns) + acctLine(format, cancelled, columns);
  };

  test('writes columns', () => {
    expect(lines('jobid,jobname,state')).toBe(
      'JobID           JobName      State \n------------ ---------- ---------- \n7                    ok CANCELLED+ \n',
    );
    expect(lines('jobid%5,state%-8')).toBe('JobID State    \n----- -------- \n    7 CANCELL+ \n');
    expect(lines('state%30')).toContain('            CANCELLED by 65534 \n');
    expect(lines(' job%5')).toBe('JobID \n----- \n    7 \n');
    expect(lines('jobn%4')).toBe('JobN \n---- \n  ok \n');
    expect(lines('jobid,,')).toBe('JobID        \n------------ \n7            \n');
  });

  test('separates values', () => {
    const line = (by: string, atEnd: boolean) => acctLine(fields, cancelled, { kind: 'separated', by, atEnd });
    expect(line('|', false)).toBe('7|ok|CANCELLED by 65534\n');
    expect(line('|', true)).toBe('7|ok|CANCELLED by 65534|\n');
    expect(acctHeader(fields, { kind: 'separated', by: ',', atEnd: false })).toBe('JobID,JobName,State\n');
  });

  test('knows its fields', () => {
    expect(slurmWords(() => readAcctFormat('JobID%20,nope', fields), 'sacct')).toBe(
      'sacct: error: Invalid field requested: "nope"\nrc=1',
    );
    expect(slurmWords(() => readAcctFormat('%20', fields), 'sacct')).not.toBe('accepted');
  });
});

describe('sorting', () => {
  const orders = {
    i: (a: Row, b: Row) => a.id.localeCompare(b.id),
    t: (a: Row, b: Row) => a.state.localeCompare(b.state),
    P: () => 0,
  };
  const rows = [
    { id: '1', state: 'R', name: '' },
    { id: '2', state: 'PD', name: '' },
    { id: '3', state: 'PD', name: '' },
  ];
  test.each([
    ['P,t,-i', '321'],
    ['P,t,i', '231'],
    ['-i', '321'],
    ['--i', '321'],
    ['+i', '123'],
    ['t', '231'],
    ['', '123'],
  ])('%j', (text, ids) => {
    const order = orderBy(readSortKeys(text, orders), orders);
    expect(
      rows
        .toSorted(order)
        .map(({ id }) => id)
        .join(''),
    ).toBe(ids);
  });

  test.each([
    ['nope', 'e'],
    ['P t', ' '],
    ['iz!', '!'],
    ['toString', 'g'],
  ])('not %j', (text, letter) =>
    expect(slurmWords(() => readSortKeys(text, orders), 'squeue')).toBe(
      `squeue: error: Invalid sort specification: ${letter}\nrc=1`,
    ),
  );
});

test('notes are for people', () => {
  const said: string[] = [];
  const sink = (isTTY: boolean) => ({
    isTTY,
    columns: 80,
    rows: 24,
    colour: false,
    write: (text: unknown) => said.push(`${text}`),
  });
  sayNotes(['--account is recorded'], 'sbatch', sink(false), false);
  expect(said).toEqual([]);
  sayNotes(['--account is recorded'], 'sbatch', sink(true), false);
  sayNotes(['--qos is recorded'], 'sbatch', sink(false), true);
  expect(said).toEqual(['sbatch: --account is recorded\n', 'sbatch: --qos is recorded\n']);
});
