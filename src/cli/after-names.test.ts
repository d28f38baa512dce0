import { describe, expect, test } from 'vitest';
import { aJob, aTask, runCli } from '../../test/support/cli-world.ts';
import { SpawnError } from '../core/errors.ts';
import { numberAfter, readAfter } from './after-names.ts';
import type { Client } from './client.ts';

const jobs = [
  aJob({ id: 3, name: 'fit', arrayId: 'fit-20261121-ab12cd' }),
  aJob({ id: 7, name: 'compute', arrayId: 'compute-20261121-00ff00', instances: true }),
];

/** Knows jobs by name and array id, and an instance of one of them. */
const client = {
  job: async (ref: string) => {
    const found = jobs.find(({ id, name, arrayId }) => [String(id), name, arrayId].includes(ref));
    if (found !== undefined) return found;
    if (ref === 'compute-4') return jobs[1];
    throw new SpawnError('JOB_NOT_FOUND', { ref });
  },
  tasks: async () => ({ tasks: [aTask(4)] }),
} as unknown as Client;

test.each([
  ['12', '12'],
  ['afterok:fit', 'afterok:3'],
  ['afterok:fit-20261121-ab12cd', 'afterok:3'],
  ['afterok:compute', 'afterok:7'],
  ['afterok:compute-4', 'afterok:7_4'],
  ['after:fit+5', 'after:3+5'],
  ['afterok:12_[1,3-5]:fit:compute,singleton,afterany:fit', 'afterok:12_[1,3-5]:3:7,singleton,afterany:3'],
  ['afterok:fit?afternotok:12_*:compute-4', 'afterok:3?afternotok:12_*:7_4'],
])('%s means %s', async (text, numbers) => {
  expect(readAfter(text, '--after')).toBe(text);
  expect(await numberAfter(client, text)).toBe(numbers);
});

describe('refused', () => {
  test.each([
    ['fit', 1, 'found "fit"'],
    ['afterok:fit+5', 12, 'no delay with afterok'],
    ['afterok:a,afterok:b?afterok:c', 20, 'a list is all "," (and) or all "?" (or)'],
    ['afterok:-x', 9, 'expected a job number'],
    ['afterok:fit_[1]', 9, 'expected a job number'],
  ])('%s', (text, column, words) => {
    const read = () => readAfter(text, '--after');
    expect(read).toThrow(`--after: dependency, column ${column}: `);
    expect(read).toThrow(words);
    expect(read).toThrow(`\n  ${text}\n`);
  });

  test('a name that nobody has', async () => {
    await expect(numberAfter(client, 'afterok:nope')).rejects.toThrow('--after: job "nope" not found');
  });
});

test.each([
  ['submit', ['submit', '--after', 'afterok:fit', '--', 'x'], 'submit'],
  ['launch', ['launch', 'box', '--after', 'afterok:fit', '--detach'], 'submit'],
  ['update', ['update', '12', '--after', 'afterok:fit'], 'update'],
])('%s sends numbers', async (_, words, call) => {
  const job = aJob({ state: 'blocked' });
  const { calls, code } = await runCli(words, {
    client: {
      job: client.job,
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async () => ({ job, replayed: false, dryRun: false }),
      update: async () => ({ job, tasks: 1 }),
      instances: async () => ({ instances: [] }),
      tasks: async () => ({ tasks: [] }),
    },
  });
  expect(code).toBe(0);
  expect(JSON.stringify(calls.find(([name]) => name === call))).toContain('"after":"afterok:3"');
});
