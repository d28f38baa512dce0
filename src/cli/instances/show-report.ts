import type { InstanceVerb, InstanceVerbReply } from '../../api/instance.ts';
import {
  PLAIN_REPORT,
  type ReportRow,
  reportColumns,
  reportExitCode,
  reportJson,
  reportRows,
  reportTotal,
} from '../output/instance-report.ts';
import { JsonArray } from '../output/json.ts';
import { Table } from '../output/table.ts';
import type { World } from '../world.ts';
import type { Found } from './targets.ts';

interface Shown {
  readonly verb: InstanceVerb;
  /** `stopped`. */
  readonly done: string;
  readonly json: boolean;
  /** Where the command is not the verb: what it is called, and what is said before the total, also when no member changed. */
  readonly command?: string;
  readonly sum?: string;
}

/** Tells what became of each member, then how many. @returns the exit code */
export function showReport(
  world: World,
  { verb, done, json, command, sum }: Shown,
  members: InstanceVerbReply['members'],
  found: readonly Found[],
): number {
  const { stdout, stderr } = world;
  const all = reportRows(
    verb,
    members,
    found.flatMap((each) => each.members),
  );
  const old = new Set(found.flatMap((each) => oldNews(all, each)));
  const rows = all.filter((row) => !old.has(row));
  if (json) {
    const array = new JsonArray((text) => stdout.write(text));
    array.add(rows.map(reportJson));
    array.end();
    return reportExitCode(rows);
  }
  // Where nothing came back, what went wrong has been told.
  if (rows.length === 0 && command === undefined) return 0;
  if (rows.length > 0) {
    stdout.write(new Table(stdout.isTTY ? reportColumns(verb) : PLAIN_REPORT, stdout).render(rows));
  }
  const count = reportTotal(verb, rows, done, all.length - rows.length);
  const total = sum === undefined ? count : rows.length === 0 ? sum : `${sum}: ${count}`;
  if (stdout.isTTY) stdout.write(`${total}\n`);
  else stderr.write(`spawn: ${command ?? verb}: ${total}\n`);
  return reportExitCode(rows);
}

/** Machines that were gone before are no news, unless there is nothing else to tell of what was named. */
function oldNews(rows: readonly ReportRow[], { members }: Found): readonly ReportRow[] {
  const ids = new Set(members.map(({ id }) => id));
  const own = rows.filter(({ member }) => ids.has(member.id));
  const gone = own.filter(({ member, before }) => !member.changed && before?.state === 'terminated');
  return gone.length < own.length ? gone : [];
}
