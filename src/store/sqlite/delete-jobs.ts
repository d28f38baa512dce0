import type { Database } from 'better-sqlite3';

/** What a job leaves in the tables, those that refer to others first. */
const OF_A_JOB = [
  'DELETE FROM pages WHERE job_id = ?',
  'DELETE FROM ends WHERE job_id = ?',
  'DELETE FROM dependencies WHERE job_id = ?',
  'DELETE FROM dependencies WHERE depends_on = ?',
  'DELETE FROM keys WHERE job_id = ?',
  'DELETE FROM events WHERE job_id = ?',
  'DELETE FROM deliveries WHERE job_id = ? AND next_at = 0',
  'DELETE FROM instances WHERE job_id = ?',
  // Those of its instances; workers of the pool served others, too.
  'DELETE FROM sessions WHERE bound_job = ? AND closed_at > 0',
  'DELETE FROM job_states WHERE job_id = ?',
  'DELETE FROM jobs WHERE id = ?',
];

/** Removes ended jobs. The freed pages of the file are used again before it grows. */
export function prepareDeletes(db: Database) {
  const live = db.prepare<[number], number>('SELECT 1 FROM job_states WHERE job_id = ? AND ended_at = 0').pluck();
  const machine = db
    .prepare<[number], number>('SELECT 1 FROM instances WHERE job_id = ? AND ended_at = 0 LIMIT 1')
    .pluck();
  const all = OF_A_JOB.map((sql) => db.prepare<[number]>(sql));
  const someEnds = db.prepare<[number, number]>(
    'DELETE FROM ends WHERE id IN (SELECT id FROM ends WHERE job_id = ? ORDER BY id LIMIT ?)',
  );
  return {
    someEnds: (jobId: number, count: number): void => {
      someEnds.run(jobId, count);
    },
    job: (id: number): void => {
      if (live.get(id) !== undefined) throw new Error(`job ${id} has not ended`);
      // Nobody would end it then.
      if (machine.get(id) !== undefined) throw new Error(`job ${id} has an instance that is not terminated`);
      for (const statement of all) statement.run(id);
    },
  };
}
