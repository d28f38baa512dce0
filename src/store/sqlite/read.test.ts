import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate } from './migrate.ts';
import { prepareReads } from './read.ts';

/** What SQLite would do for each statement that the reads prepare, by its text. */
function plansOf(call: (reads: ReturnType<typeof prepareReads>) => void): string[] {
  const ran: string[] = [];
  const db = new Database(':memory:', { verbose: (sql) => ran.push(String(sql)) });
  migrate(db, ':memory:');
  const reads = prepareReads(db);
  ran.length = 0;
  call(reads);
  const statements = ran.filter((sql) => sql.startsWith('SELECT'));
  const plans = statements.flatMap((sql) =>
    db
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail),
  );
  db.close();
  return plans;
}

const all = { fromPosition: 0, toPosition: 9, after: 0, limit: 10 };

test.each([
  ['load', (reads) => reads.load()],
  ['loadJob', (reads) => reads.loadJob(1)],
  ['findEnds', (reads) => reads.findEnds({ jobId: 1, ...all })],
  ['findEnds, bad ones', (reads) => reads.findEnds({ jobId: 1, ...all, bad: true })],
  ['findEnds, the newest bad one', (reads) => reads.findEnds({ jobId: 1, ...all, bad: true, newest: true })],
  ['findKey', (reads) => reads.findKey('a', 'b')],
  ['findSessions', (reads) => reads.findSessions([1])],
  ['findEvents', (reads) => reads.findEvents({ after: 5, limit: 10 })],
  ['findEvents of a job', (reads) => reads.findEvents({ jobId: 1, after: 5, limit: 10 })],
  ['findInstances', (reads) => reads.findInstances({ endedFrom: 5, endedBefore: 9, limit: 10 })],
  ['findInstances of a job', (reads) => reads.findInstances({ jobId: 1, endedFrom: 5, limit: 10 })],
  ['findInstances, one', (reads) => reads.findInstances({ id: 'i-1', endedFrom: 0, limit: 1 })],
  ['findJobs, live', (reads) => reads.findJobs({ live: true, limit: 10 })],
  ['findJobs, live, next page', (reads) => reads.findJobs({ live: true, before: 5, limit: 10 })],
  ['findJobs, ended, next page', (reads) => reads.findJobs({ live: false, before: 5, limit: 10 })],
  ['findJobs by name', (reads) => reads.findJobs({ live: false, name: 'a', limit: 10 })],
  ['findJobs by workflow', (reads) => reads.findJobs({ live: false, workflowName: 'a', limit: 10 })],
  ["findJobs by Slurm's name", (reads) => reads.findJobs({ live: false, slurmName: 'a', limit: 10 })],
  ['findJobs, ended a moment ago', (reads) => reads.findJobs({ live: false, endedFrom: 5, limit: 10 })],
  ['findJobs, ended, upwards', (reads) => reads.findJobs({ live: false, above: 5, array: true, limit: 10 })],
  ['findJobs by raw id', (reads) => reads.findJobs({ live: false, rawId: 1_000_000_005, limit: 1 })],
  ['findJobs by array id', (reads) => reads.findJobs({ live: true, arrayId: 'a', limit: 10 })],
] as const satisfies [string, (reads: ReturnType<typeof prepareReads>) => void][])(
  '%s sorts nothing and walks through no history',
  (_name, call) => {
    const plans = plansOf(call);
    expect(plans).not.toEqual([]);
    // Whole tables that are small by nature, and partial indexes of what is live.
    const allowed =
      /SCAN (meta|tokens|budgets|alerts|grants|json_each|.* live_jobs|.* live_instances|.* open_sessions|.* waiting_deliveries)|LIST SUBQUERY/;
    expect(plans.filter((plan) => /SCAN|TEMP B-TREE/.test(plan) && !allowed.test(plan))).toEqual([]);
  },
);
