import { describe, expect, test } from 'vitest';
import { looksLikeQueue, readQueueFile } from './queue-file.ts';

const GOOD = `name: night
on_failure: stop
timeout: 4h
env: {STAGE: prod, N: 7}
results: out
jobs:
  - id: prep
    command: ./prep
    timeout: 30m
    retry: 2
  - id: train
    script: train.sh
    args: [--fast]
    depends_on: [prep]
    retry: {max_attempts: 3, backoff: exponential}
    env: {LR: 1e-3}
    result_paths: [model.bin, 'log/*.txt']
    on_failure: continue
    memory: 4G
`;

function faults(text: string): string[] {
  try {
    readQueueFile('q.yaml', text, (name) => (name === 'SPAWN_X' ? 'another variable' : undefined));
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_JOB_FILE' });
    return (error as Error).message.split('\n');
  }
}

describe('a queue file', () => {
  test('says jobs, with numbers as the text that they are where text is wanted', () => {
    const { name, on_failure, timeout, env, results, jobs } = readQueueFile('q.yaml', GOOD);
    expect({ name, on_failure, timeout, env, results }).toEqual({
      name: 'night',
      on_failure: 'stop',
      timeout: 14_400_000,
      env: { STAGE: 'prod', N: '7' },
      results: 'out',
    });
    expect(jobs).toEqual([
      { id: 'prep', command: './prep', timeout: 1_800_000, retry: { max_attempts: 3 } },
      {
        id: 'train',
        script: 'train.sh',
        args: ['--fast'],
        depends_on: ['prep'],
        retry: { max_attempts: 3, backoff: 'exponential' },
        env: { LR: '1e-3' },
        result_paths: ['model.bin', 'log/*.txt'],
        on_failure: 'continue',
        memory: 4 * 1024 ** 3,
      },
    ]);
  });

  test('may be JSON', () => {
    expect(readQueueFile('q.json', '{"jobs": [{"id": "a", "command": "true"}]}').jobs).toEqual([
      { id: 'a', command: 'true' },
    ]);
  });

  test('all that is wrong is told at once, with its place', () => {
    const text = `name: '12'
on_failure: never
jobs:
  - id: a
    comand: ./a
    depends_on: [b, trian]
  - id: a
    command: x
    script: y
    timeout: soon
  - id: train
    command: x
    result_paths: [../x]
    env: {SPAWN_X: 1}
`;
    expect(faults(text)).toEqual([
      'q.yaml:1:7: name: expected no number, task id or range: it would be read as one; put a letter first, found "12"',
      'q.yaml:2:13: on_failure: expected stop or continue, found "never"',
      'q.yaml:4:5: jobs[0]: expected exactly one of command, script, found none',
      expect.stringMatching(/^q.yaml:5:5: jobs\[0\].comand: expected one of id, command, .*did you mean "command"\?$/),
      'q.yaml:6:18: jobs[0].depends_on[0]: expected one of the jobs a, train, found "b"',
      'q.yaml:6:21: jobs[0].depends_on[1]: expected one of the jobs a, train, found "trian"; did you mean "train"?',
      'q.yaml:7:5: jobs[1]: expected exactly one of command, script, found both command and script',
      'q.yaml:7:9: jobs[1].id: expected an id that no other job has, found "a"',
      'q.yaml:10:14: jobs[1].timeout: expected a duration as 90s, 5m or 1h30m, found "soon"',
      'q.yaml:13:20: jobs[2].result_paths[0]: expected a path without "..", found "../x"',
      'q.yaml:14:20: jobs[2].env.SPAWN_X: expected another variable, found "SPAWN_X"',
    ]);
  });

  test.each<[string, string]>([
    ['[1]', 'q.yaml:1:1: expected a mapping with the jobs of the queue, found a list'],
    ['7', 'q.yaml:1:1: expected a mapping with the jobs of the queue, found one value'],
    ['', 'q.yaml:1:1: expected a mapping with what the job is, found nothing'],
    ['jobs: []', 'q.yaml:1:7: jobs: expected at least 1'],
    ['jobs:\n\t- id: a', 'q.yaml:2:1'],
    ['jobs: [{id: a, command: x}]\njobs: []', 'q.yaml:2:1'],
    [
      'jobs:\n- {id: a, command: x, depends_on: [c]}\n- {id: b, command: x, depends_on: [a]}\n- {id: c, command: x, depends_on: [b]}\n',
      'q.yaml:2:36: jobs[0].depends_on[0]: expected jobs that do not wait for each other in a circle, found a -> c -> b -> a',
    ],
    ['jobs:\n- {id: a, command: x, depends_on: [a]}\n', 'found a -> a'],
  ])('%j is refused', (text, message) => {
    expect(faults(text)[0]).toContain(message);
  });

  test('is told from a job file', () => {
    expect([looksLikeQueue(GOOD), looksLikeQueue('algorithm: {command: x}'), looksLikeQueue('[')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
