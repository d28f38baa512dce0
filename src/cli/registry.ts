import type { Entry } from './command.ts';

/** All verbs, in the order and the groups in which help shows them. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'submit',
    group: 'Submit',
    summary: 'Submit a job: one task or an array of them',
    load: async () => (await import('./commands/submit.ts')).submit,
  },
  {
    name: 'jobs',
    group: 'Look',
    summary: 'List jobs',
    load: async () => (await import('./commands/jobs.ts')).jobs,
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'Tell how a job, a task or the coordinator is doing',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'watch',
    group: 'Look',
    summary: 'Show a job live: its progress, every task, its output',
    load: async () => (await import('./commands/watch.ts')).watch,
  },
  {
    name: 'tasks',
    group: 'Look',
    summary: 'List the tasks of a job',
    load: async () => (await import('./commands/tasks.ts')).tasks,
  },
  {
    name: 'logs',
    group: 'Look',
    summary: 'Print the output of tasks',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'why',
    group: 'Look',
    summary: 'Tell what keeps a job or task from running',
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'events',
    group: 'Look',
    summary: 'List what happened',
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'wait',
    group: 'Look',
    summary: 'Wait for the end of jobs',
    load: async () => (await import('./commands/wait.ts')).wait,
  },
  {
    name: 'cancel',
    group: 'Change',
    summary: 'Cancel jobs or tasks',
    load: async () => (await import('./commands/cancel.ts')).cancel,
  },
  {
    name: 'retry',
    group: 'Change',
    summary: 'Run again what failed, in place',
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  {
    name: 'requeue',
    group: 'Change',
    summary: 'Send tasks back to wait, whatever they do',
    load: async () => (await import('./commands/requeue.ts')).requeue,
  },
  {
    name: 'hold',
    group: 'Change',
    summary: 'Keep tasks from starting',
    load: async () => (await import('./commands/hold.ts')).hold,
  },
  {
    name: 'release',
    group: 'Change',
    summary: 'Let held tasks start',
    load: async () => (await import('./commands/release.ts')).release,
  },
  {
    name: 'update',
    group: 'Change',
    summary: 'Change a job that has been submitted',
    load: async () => (await import('./commands/update.ts')).update,
  },
  {
    name: 'export',
    group: 'Keep',
    summary: 'Print a job as a spec that can be submitted',
    load: async () => (await import('./commands/export.ts')).exportJob,
  },
  {
    name: 'prune',
    group: 'Keep',
    summary: 'Remove jobs that have ended',
    load: async () => (await import('./commands/prune.ts')).prune,
  },
  {
    name: 'server',
    group: 'Coordinator',
    summary: 'Start, stop or look at the coordinator in the background',
    load: async () => (await import('./commands/server.ts')).server,
  },
  {
    name: 'token',
    group: 'Coordinator',
    summary: 'Make, list and revoke tokens for users and workers elsewhere',
    load: async () => (await import('./commands/token.ts')).token,
  },
  {
    name: 'config',
    group: 'This program',
    summary: 'List or change settings',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'doctor',
    group: 'This program',
    summary: 'Check this machine and the coordinator, with advice',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'completion',
    group: 'This program',
    summary: 'Print a script that completes command lines in a shell',
    load: async () => (await import('./commands/completion.ts')).completionOf(COMMANDS),
  },
];
