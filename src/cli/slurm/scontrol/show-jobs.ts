import { SpawnError } from '../../../core/errors.ts';
import type { Client } from '../../client.ts';
import { localZone } from '../../local-zone.ts';
import { readSlurmId, type SlurmId } from '../job-ids.ts';
import { jobRecordText } from '../job-record.ts';
import type { QueueRow } from '../queue-rows.ts';
import { awaitedJobs } from '../queue-values.ts';
import { readUsers } from '../users.ts';
import { refOf } from './chosen-tasks.ts';
import { readJobRows } from './job-rows.ts';
import { recordOfRow } from './record-of-row.ts';
import type { Session } from './session.ts';

/** More jobs than these that a record waits for are not looked up. */
const MOST_AWAITED = 1_000;

/** `show job`: a record for each task that runs or has ended, and for those that wait together. @param text the id; '' for all jobs */
export async function showJobs(session: Session, text: string): Promise<void> {
  const id = text === '' ? undefined : readSlurmId(text);
  if (text !== '' && (id === undefined || id.step !== undefined)) {
    return session.fail('scontrol_print_job error: Invalid job id specified');
  }
  const client = await session.world.connect();
  const printer = new Printer(session, client);
  const query = id === undefined ? {} : { ids: refOf(id) };
  for await (const { rows, now, missing } of readJobRows(client, query, id?.ref.kind === 'tasks')) {
    if (missing.length > 0) throw new SpawnError('JOB_NOT_FOUND', { ref: text });
    for (const row of rows) await printer.print(row, now);
  }
  if (printer.count === 0) tellNone(session, id);
}

function tellNone(session: Session, id: SlurmId | undefined): void {
  session.print(id === undefined ? 'No jobs in the system\n' : `Job ${id.text} not found\n`);
  if (id !== undefined) session.exitCode = 1;
}

class Printer {
  count = 0;
  readonly #session: Session;
  readonly #client: Client;
  readonly #users = readUsers();
  readonly #arrays = new Map<number, boolean>();

  constructor(session: Session, client: Client) {
    this.#session = session;
    this.#client = client;
  }

  async print(row: QueueRow, now: number): Promise<void> {
    const { oneLine, detailed, world } = this.#session;
    await this.#lookAt(awaitedJobs(row));
    const record = recordOfRow(row, {
      now,
      env: world.env,
      users: this.#users,
      zone: localZone,
      isArray: (job) => this.#arrays.get(job) ?? false,
      restarts: await this.#restartsOf(row),
    });
    this.#session.print(jobRecordText(record, { oneLine, detailed }));
    this.count++;
  }

  /** Only the job itself tells whether it is an array. */
  async #lookAt(jobs: readonly number[]): Promise<void> {
    const unknown = [...new Set(jobs)].filter((job) => !this.#arrays.has(job)).slice(0, MOST_AWAITED);
    const found = await Promise.all(
      unknown.map(async (job) => [job, await this.#client.job(String(job)).catch(() => undefined)] as const),
    );
    for (const [job, view] of found) this.#arrays.set(job, view?.array !== undefined);
  }

  /** Of tasks that wait together nobody tells how often each was tried. */
  async #restartsOf({ task, set, job }: QueueRow): Promise<number> {
    if (task !== undefined) return Math.max(0, task.attempt - 1);
    if (job.retried === 0 || (set !== undefined && set.size > 1)) return 0;
    const index = set === undefined ? {} : { index: String(set.min) };
    const { tasks } = await this.#client.tasks(String(job.id), { ...index, limit: 1 });
    return tasks[0]?.attempt ?? 0;
  }
}
