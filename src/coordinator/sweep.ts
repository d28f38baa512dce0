import type { JobSpec } from '../api/job-spec.ts';
import { readParamTable } from '../api/param-table.ts';
import { readStageManifest } from '../api/stage.ts';
import type { LogReader, StoredBlob } from '../objects/log-reader.ts';
import { jobExists } from './job-exists.ts';
import { readPlan } from './job-row.ts';
import type { Ledger } from './ledger.ts';

/** Rows of jobs that are read at a time. */
const PAGE = 500;
/** A blob that was stored or asked for so recently may be of a submit under way. */
const MIN_AGE_MS = 3_600_000;

/**
 * Removes the logs and checkpoints of jobs that are gone, and of those that an earlier run removed from the store before it was cut short. Gives their
 * bytes; dry, it only counts.
 */
export async function sweepLogs(ledger: Ledger, gone: ReadonlySet<number>, dryRun: boolean): Promise<number> {
  const { logs, checkpoints } = ledger.ports;
  const bytes = await sweepFolders(ledger, logs, gone, dryRun);
  return checkpoints === undefined ? bytes : bytes + (await sweepFolders(ledger, checkpoints, gone, dryRun));
}

async function sweepFolders(
  ledger: Ledger,
  folders: Pick<LogReader, 'jobs' | 'size' | 'remove'>,
  gone: ReadonlySet<number>,
  dryRun: boolean,
): Promise<number> {
  let bytes = 0;
  for (const id of await folders.jobs()) {
    // Numbers that were not given yet are of another store, which somebody put in the place of this one.
    if (id >= ledger.memory.counters.nextJob) continue;
    if (!gone.has(id) && (await jobExists(ledger, id))) continue;
    bytes += await folders.size(id);
    if (!dryRun) await folders.remove(id);
  }
  return bytes;
}

/** Removes the scripts, environments and staged directories that no job names any more. */
export async function sweepBlobs(ledger: Ledger, gone: ReadonlySet<number>, dryRun: boolean): Promise<number> {
  const { blobs } = ledger.ports;
  const old = (await blobs.list()).filter(({ ageMs }) => ageMs >= MIN_AGE_MS);
  if (old.length === 0) return 0;
  const used = await blobsInUse(ledger, gone);
  let bytes = 0;
  for (const blob of old) {
    if (used.has(keyOf(blob))) continue;
    if (dryRun || (await blobs.remove(blob, MIN_AGE_MS))) bytes += blob.bytes;
  }
  return bytes;
}

async function blobsInUse({ memory, ports }: Ledger, gone: ReadonlySet<number>): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  const stages = new Set<string>();
  const tables = new Set<string>();
  const plans = new Set<string>();
  const note = ({ run, envSnapshot, stage, paramTable }: JobSpec, plan: string | undefined): void => {
    if (plan !== undefined && plan !== '') plans.add(plan);
    if (run.kind === 'script') used.add(keyOf({ kind: 'script', hash: run.hash }));
    if (envSnapshot !== undefined) used.add(keyOf({ kind: 'env', hash: envSnapshot }));
    if (stage !== undefined) stages.add(stage);
    if (paramTable !== undefined) tables.add(paramTable);
  };
  for (const live of [true, false]) {
    let before: number | undefined;
    for (;;) {
      const rows = await ports.store.findJobs({ live, limit: PAGE, ...(before === undefined ? {} : { before }) });
      for (const row of rows) if (!gone.has(row.id)) note(row.spec, readPlan(row)?.hash);
      if (rows.length < PAGE) break;
      before = rows.at(-1)!.id;
    }
  }
  // One that moved from live to ended between the two, or is not durable yet.
  for (const [id, { job, fixed }] of memory.jobs) if (!gone.has(id)) note(fixed.spec, job.plan?.hash);
  for (const stage of stages) {
    const found = await ports.blobs.get(stage);
    const pieces = found === undefined ? [] : (readStageManifest(found.bytes)?.pieces ?? []);
    for (const hash of [stage, ...pieces]) used.add(keyOf({ kind: 'stage', hash }));
  }
  for (const plan of plans) {
    const found = await ports.blobs.get(plan);
    // Whatever it names.
    const pieces = found === undefined ? [] : (new TextDecoder().decode(found.bytes).match(/[0-9a-f]{64}/g) ?? []);
    for (const hash of [plan, ...pieces]) used.add(keyOf({ kind: 'plan', hash }));
  }
  for (const table of tables) {
    const found = await ports.blobs.get(table);
    const pieces = found === undefined ? [] : (readParamTable(found.bytes)?.pieces ?? []);
    for (const hash of [table, ...pieces.map(([piece]) => piece)]) used.add(keyOf({ kind: 'params', hash }));
  }
  return used;
}

function keyOf({ kind, hash }: Pick<StoredBlob, 'kind' | 'hash'>): string {
  return `${kind}/${hash}`;
}
