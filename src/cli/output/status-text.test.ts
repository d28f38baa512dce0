import { expect, test } from 'vitest';
import { aJob, aServer, aTask } from '../../../test/support/cli-world.ts';
import { serverStatus, taskStatus } from './status-text.ts';

test('a task', () => {
  const task = aTask(7, {
    state: 'failed',
    attempt: 2,
    failures: 2,
    outcome: 'SIGKILL (9)',
    wallMs: 1_500,
    maxRssBytes: 2_048,
    cutBytes: 0,
    missingBytes: 10,
  });
  expect(taskStatus(task, false)).toBe(
    [
      'Task 12_7',
      '  state      failed',
      '  attempt    2',
      '  failures   2',
      '  end        SIGKILL (9)',
      '  wall time  1.5s',
      '  memory     2.0K',
      '  missing    10B',
      '',
    ].join('\n'),
  );
});

test('the coordinator, its workers and what is live', () => {
  const session = {
    id: 1,
    worker: 'w',
    host: 'h',
    pid: 1,
    resources: { cpus: 4, memoryBytes: 0, gpus: 2, named: { licence: 0.3 } },
    freeCpus: 1,
    freeGpus: 0.5,
    freeNamed: { licence: 0.1 },
    running: 3,
    leased: 0,
    connected: true,
    draining: false,
    openedAt: 0,
  };
  const sessions = [session, { ...session, connected: false }];
  const server = aServer({ liveJobs: 3, writable: false, sessions });
  expect(serverStatus(server, [aJob({ state: 'running' })], 65_000, false)).toBe(
    [
      'Coordinator 0.1.0 on lovelace (pid 4711)',
      '  up         1m05s',
      '  data       /home/ada/.local/share/spawn',
      '  store      refuses writes: no space left; reads go on',
      '  workers    1, 1 of 4 CPUs free, 3 tasks running',
      '  GPUs       0.5 of 2 free',
      '  licence    0.1 of 0.3 free',
      '  live jobs  3',
      '    12  fit  running  0/10',
      '    …  see: spawn jobs',
      '',
    ].join('\n'),
  );
});
