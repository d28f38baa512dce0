import { describe, expect, it } from 'vitest';
import { cutText, lastLineOf, normaliseLine } from './normalise-line.ts';

/** Lines as programs write them; all lines of a group must become the one that is expected. */
const SAME: readonly (readonly [string, readonly string[]])[] = [
  ["KeyError: 'sample_<n>'", ["KeyError: 'sample_0017'", "KeyError: 'sample_123'"]],
  [
    'ValueError: could not convert string to float: <n>',
    ['ValueError: could not convert string to float: 1e-05', 'ValueError: could not convert string to float: -3.25'],
  ],
  [
    "FileNotFoundError: [Errno <n>] No such file or directory: '…/reads_<n>.fastq.gz'",
    [
      "FileNotFoundError: [Errno 2] No such file or directory: '/data/in/S0017/reads_1.fastq.gz'",
      "FileNotFoundError: [Errno 2] No such file or directory: '/scratch/u/S2/reads_2.fastq.gz'",
    ],
  ],
  [
    'cat: …/part-<n>.csv: No such file or directory',
    ['cat: /tmp/x/part-00001.csv: No such file or directory', 'cat: /home/me/y/part-9.csv: No such file or directory'],
  ],
  [
    'RuntimeError: CUDA out of memory. Tried to allocate <n> MiB (GPU <n>; <n> GiB total capacity; <n> GiB already allocated)',
    [
      'RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 23.65 GiB total capacity; 21.17 GiB already allocated)',
      'RuntimeError: CUDA out of memory. Tried to allocate 1024.00 MiB (GPU 3; 79.15 GiB total capacity; 70 GiB already allocated)',
    ],
  ],
  [
    'run.sh: line <n>: <n> Segmentation fault (core dumped) ./solve --seed <n>',
    [
      'run.sh: line 12:  4711 Segmentation fault      (core dumped) ./solve --seed 17',
      'run.sh: line 12: 104711 Segmentation fault      (core dumped) ./solve --seed 4',
    ],
  ],
  [
    '[<time>] ERROR worker-<n> lost connection to <host>',
    [
      '[2026-11-21 12:03:11,532] ERROR worker-3 lost connection to 10.0.3.17:5432',
      '[2026-11-21T12:03:11.5Z] ERROR worker-12 lost connection to 192.168.1.4:80',
    ],
  ],
  ['<time> FATAL: took too long', ['12:03:11 FATAL: took too long', '7:03:11.25 FATAL: took too long']],
  [
    'error: object at <address> (<uuid>) is gone',
    [
      'error: object at 0x7f3a1c00 (123e4567-e89b-12d3-a456-426614174000) is gone',
      'error: object at 0xDEADBEEF (00000000-0000-0000-0000-00000000000A) is gone',
    ],
  ],
  ['fatal: bad object <hex>', ['fatal: bad object 6e1b569f00aa', 'fatal: bad object 43f76ab12']],
  [
    'HTTPError: <n> Server Error for url: <url>',
    [
      'HTTPError: 503 Server Error for url: https://x.example/a?b=1',
      'HTTPError: 500 Server Error for url: http://127.0.0.1:8080/',
    ],
  ],
  [
    'OSError: cannot write …/<tmp>',
    ['OSError: cannot write /tmp/tmpab3d5f9k', 'OSError: cannot write /var/tmp/tmpq0zzk1w_'],
  ],
  ['Killed', ['Killed', '\u001b[31mKilled\u001b[0m', '  Killed\t']],
  ['epoch <n> loss nan on <date>', ['epoch 3 loss nan on 2026-11-21', 'epoch 30 loss nan on 2025-01-02']],
  ['see …/train.py or …/log', ['see ~/work/a/train.py or /var/log', 'see /work/b/train.py or /x/log']],
];

describe('lines of errors', () => {
  it.each(SAME)('%s', (expected, lines) => {
    expect(lines.map(normaliseLine)).toEqual(lines.map(() => expected));
  });

  it.each([
    ['ZeroDivisionError: division by zero'],
    ["KeyError: 'learning_rate'"],
    ['make: *** [all] Error'],
    ['either/or is no path, and neither is a / b'],
    ['Bus error (core dumped)'],
    ['deadbeef is a word, and so is facade'],
  ])('%s stays', (line) => {
    expect(normaliseLine(line)).toBe(line);
  });

  it('are cut, and long ones come to an end', () => {
    expect(normaliseLine('x'.repeat(500))).toBe(`${'x'.repeat(159)}…`);
    for (const evil of [
      '/a'.repeat(50_000),
      '1.'.repeat(50_000),
      'tmp'.repeat(50_000),
      "'".repeat(90_000),
      'a0'.repeat(9_000),
    ])
      expect(normaliseLine(evil).length).toBeLessThanOrEqual(160);
  });
});

describe('the last line', () => {
  it.each([
    ['Traceback:\n  File "x"\nValueError: y\n\n  \n', 'ValueError: y'],
    ['10%\r20%\r30% boom\r\n', '30% boom'],
    ['one', 'one'],
    ['\n \t\n', ''],
    ['', ''],
  ])('of %j is %j', (text, line) => {
    expect(lastLineOf(text)).toBe(line);
  });

  it('is what an error says, not where it was thrown', () => {
    expect(lastLineOf('x\nTypeError: no such thing\n    at score (tasks.ts:3:9)\n    at tasks.ts:9:1\n')).toBe(
      'TypeError: no such thing',
    );
    expect(lastLineOf('    at score (tasks.ts:3:9)\n')).toBe('at score (tasks.ts:3:9)');
  });

  it('is found at the end of a long text, also in blanks without end', () => {
    expect(lastLineOf(`${'x\n'.repeat(1_000_000)}last`)).toBe('last');
    expect(lastLineOf(`a${' '.repeat(3_000)}`)).toBe('a');
    expect(lastLineOf(' '.repeat(100_000))).toBe('');
  });
});

it('no half of a character is left where a text is cut', () => {
  expect(cutText('ab😀cd', 4)).toBe('ab…');
  expect(cutText('abcd', 4)).toBe('abcd');
});
