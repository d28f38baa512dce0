import type { Database, Statement } from 'better-sqlite3';
import type {
  Counters,
  EndsQuery,
  EventsQuery,
  LoadedState,
  StoredBudget,
  StoredEnds,
  StoredEvent,
  StoredGrant,
  StoredInstance,
  StoredJobsQuery,
  StoredKey,
  StoredPage,
  StoredSession,
  StoredToken,
} from '../store.ts';
import { prepareAlertReads } from './read-alerts.ts';
import { prepareInstanceReads } from './read-instances.ts';
import type { JobRow } from './rows.ts';

/** `dependents` wait, or waited, for `jobId`. */
export interface DependentRow {
  jobId: number;
  dependent: number;
}

/** Rows of jobs, the other rows in the order of their jobs. */
export interface JobRows {
  jobs: JobRow[];
  pages: StoredPage[];
  dependents: DependentRow[];
}

export interface LiveRows extends JobRows, Pick<LoadedState, 'alerts' | 'deliveries' | 'delivered'> {
  counters: Counters;
  grants: StoredGrant[];
  sessions: StoredSession[];
  tokens: StoredToken[];
  instances: StoredInstance[];
  budgets: StoredBudget[];
}

const JOB = `SELECT j.id, j.array_id AS arrayId, j.name, j.owner, j.tenant, j.size, j.raw_id_base AS rawIdBase,
    j.created_at AS createdAt, j.indices, j.spec, s.held, s.throttle, s.priority, s.started_at AS startedAt,
    s.ended_at AS endedAt, s.exit_code AS exitCode, s.retried, s.mean_wall_us AS meanWallUs, s.counts, s.extra`;
const PAGE = 'SELECT p.job_id AS jobId, p.page, p.data';
const DEPENDENT = 'SELECT d.depends_on AS jobId, d.job_id AS dependent';
const SESSION = 'SELECT id, worker, host, pid, instance, opened_at AS openedAt, closed_at AS closedAt, detail';
const TOKEN = `SELECT id, name, role, owner, tenant, hash, created_at AS createdAt, expires_at AS expiresAt,
    revoked_at AS revokedAt, last_used_at AS lastUsedAt`;
const EVENT = 'SELECT id, at, job_id AS jobId, kind, detail';

/**
 * All that the thread reads. Each call sees the newest commit.
 *
 * CROSS JOIN fixes the order of the tables (sqlite.org/optoverview.html): from the few live jobs to what belongs to them,
 * never through what all jobs ever had.
 */
export function prepareReads(db: Database) {
  const live = {
    counters: db.prepare<[], Counters>(
      `SELECT next_job AS nextJob, next_raw AS nextRaw, next_fence AS nextFence, next_session AS nextSession FROM meta`,
    ),
    jobs: db.prepare<[], JobRow>(
      `${JOB} FROM job_states s CROSS JOIN jobs j ON j.id = s.job_id WHERE s.ended_at = 0 ORDER BY s.job_id`,
    ),
    pages: db.prepare<[], StoredPage>(
      `${PAGE} FROM job_states s CROSS JOIN pages p ON p.job_id = s.job_id WHERE s.ended_at = 0
       ORDER BY s.job_id, p.page`,
    ),
    dependents: db.prepare<[], DependentRow>(
      `${DEPENDENT} FROM job_states s CROSS JOIN dependencies d ON d.depends_on = s.job_id WHERE s.ended_at = 0
       ORDER BY s.job_id, d.job_id`,
    ),
    grants: db.prepare<[], StoredGrant>(
      'SELECT fence, session_id AS sessionId, job_id AS jobId, position, count, data FROM grants ORDER BY fence',
    ),
    sessions: db.prepare<[], StoredSession>(`${SESSION} FROM sessions WHERE closed_at = 0 ORDER BY id`),
    tokens: db.prepare<[], StoredToken>(`${TOKEN} FROM tokens ORDER BY id`),
  };
  const one = {
    job: db.prepare<[number], JobRow>(`${JOB} FROM jobs j JOIN job_states s ON s.job_id = j.id WHERE j.id = ?`),
    pages: db.prepare<[number], StoredPage>(`${PAGE} FROM pages p WHERE p.job_id = ? ORDER BY p.page`),
    dependents: db.prepare<[number], DependentRow>(
      `${DEPENDENT} FROM dependencies d WHERE d.depends_on = ? ORDER BY d.job_id`,
    ),
  };
  const endsWhere = (also: string, order: string) =>
    db.prepare<Omit<EndsQuery, 'bad' | 'newest'>, StoredEnds>(
      `SELECT id, job_id AS jobId, min_position AS minPosition, max_position AS maxPosition, count, bad, data FROM ends
       WHERE job_id = @jobId AND id > @after AND max_position >= @fromPosition AND min_position <= @toPosition ${also}
       ORDER BY id ${order} LIMIT @limit`,
    );
  const ends = {
    all: { oldest: endsWhere('', 'ASC'), newest: endsWhere('', 'DESC') },
    bad: { oldest: endsWhere('AND bad > 0', 'ASC'), newest: endsWhere('AND bad > 0', 'DESC') },
  };
  const key = db.prepare<[string, string], StoredKey>(
    'SELECT owner, key, body_hash AS bodyHash, job_id AS jobId, at FROM keys WHERE owner = ? AND key = ?',
  );
  const sessions = db.prepare<[string], StoredSession>(
    `${SESSION} FROM sessions WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
  );
  const events = db.prepare<EventsQuery, StoredEvent>(
    `${EVENT} FROM events WHERE id > @after ORDER BY id LIMIT @limit`,
  );
  const jobEvents = db.prepare<EventsQuery, StoredEvent>(
    `${EVENT} FROM events WHERE job_id = @jobId AND id > @after ORDER BY id LIMIT @limit`,
  );
  const findJobs = prepareFindJobs(db);
  const instances = prepareInstanceReads(db);
  const alerts = prepareAlertReads(db);
  return {
    load: db.transaction(
      (): LiveRows => ({
        counters: live.counters.get()!,
        jobs: live.jobs.all(),
        pages: live.pages.all(),
        dependents: live.dependents.all(),
        grants: live.grants.all(),
        sessions: live.sessions.all(),
        tokens: live.tokens.all(),
        ...instances.load(),
        ...alerts.load(),
      }),
    ),
    loadJob: db.transaction((id: number): JobRows => {
      const job = one.job.get(id);
      return job === undefined
        ? { jobs: [], pages: [], dependents: [] }
        : { jobs: [job], pages: one.pages.all(id), dependents: one.dependents.all(id) };
    }),
    findJobs,
    findEnds: ({ bad = false, newest = false, ...query }: EndsQuery): StoredEnds[] =>
      ends[bad ? 'bad' : 'all'][newest ? 'newest' : 'oldest'].all(query),
    findKey: (owner: string, name: string): StoredKey | undefined => key.get(owner, name),
    findSessions: (ids: readonly number[]): StoredSession[] => sessions.all(JSON.stringify(ids)),
    findInstances: instances.find,
    findDeliveries: alerts.find,
    findEvents: (query: EventsQuery): StoredEvent[] =>
      query.jobId === undefined ? events.all(query) : jobEvents.all(query),
  };
}

/** One statement for each set of filters, made when it is first asked for. */
function prepareFindJobs(db: Database): (query: StoredJobsQuery) => JobRow[] {
  const statements = new Map<string, Statement<[object], JobRow>>();
  return (query) => {
    const sql = findJobsSql(query);
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    const { ids, array: _, ...values } = query;
    return statement.all(ids === undefined ? values : { ...values, ids: JSON.stringify(ids) });
  };
}

/** Found by any of its names, then held to the one that counts. */
const BY_SLURM_NAME = `j.id IN (SELECT id FROM jobs WHERE slurm_name = @slurmName UNION ALL SELECT id FROM jobs WHERE name = @slurmName
    UNION ALL SELECT job_id FROM job_states WHERE slurm_name = @slurmName)
    AND coalesce(s.slurm_name, j.slurm_name, j.name) = @slurmName`;
const BY_RAW_ID = 'j.id = (SELECT id FROM jobs WHERE raw_id_base <= @rawId ORDER BY raw_id_base DESC, id DESC LIMIT 1)';

function findJobsSql(query: StoredJobsQuery): string {
  const { live, name, slurmName, workflowName, arrayId, rawId, endedFrom, before, above, array, ids } = query;
  const filters = [
    live ? 's.ended_at = 0' : 's.ended_at <> 0',
    ...(name === undefined ? [] : ['j.name = @name']),
    ...(slurmName === undefined ? [] : [BY_SLURM_NAME]),
    ...(workflowName === undefined ? [] : ['j.workflow_name = @workflowName']),
    ...(rawId === undefined ? [] : [BY_RAW_ID]),
    ...(arrayId === undefined ? [] : ['j.array_id = @arrayId']),
    ...(endedFrom === undefined ? [] : ['s.ended_at > 0 AND s.ended_at >= @endedFrom']),
    ...(before === undefined ? [] : ['s.job_id < @before', 'j.id < @before']),
    ...(above === undefined ? [] : ['s.job_id > @above', 'j.id > @above']),
    ...(array === undefined ? [] : [array ? "j.indices <> ''" : "j.indices = ''"]),
    ...(ids === undefined ? [] : ['j.id IN (SELECT value FROM json_each(@ids))']),
  ];
  const isNamed = [name, slurmName, workflowName, arrayId, rawId, ids].some((each) => each !== undefined);
  const startsFromLive = live && !isNamed;
  const fromStates = 'job_states s CROSS JOIN jobs j ON j.id = s.job_id';
  const byJob = above === undefined ? 'DESC' : 'ASC';
  const [tables, order] =
    endedFrom !== undefined
      ? [fromStates, above === undefined ? 's.ended_at DESC, s.job_id DESC' : 's.job_id ASC']
      : startsFromLive
        ? [fromStates, `s.job_id ${byJob}`]
        : ['jobs j CROSS JOIN job_states s ON s.job_id = j.id', `j.id ${byJob}`];
  return `${JOB} FROM ${tables} WHERE ${filters.join(' AND ')} ORDER BY ${order} LIMIT @limit`;
}
