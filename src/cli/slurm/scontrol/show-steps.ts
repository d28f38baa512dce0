import { visible } from '../../../core/error-text.ts';
import { localZone } from '../../local-zone.ts';
import { localTime } from '../clock-text.ts';
import { readSlurmId } from '../job-ids.ts';
import { type QueueRow, readRows, rowId, startOf } from '../queue-rows.ts';
import { rowNodeCount, rowNodeList, rowPartition } from '../queue-values.ts';
import { readUsers, uidOfJob } from '../users.ts';
import { refOf } from './chosen-tasks.ts';
import type { Session } from './session.ts';

/** `show step`: the step `batch` of each task that runs. @param text a job, a task or its step; undefined: all */
export async function showSteps(session: Session, text = ''): Promise<void> {
  const id = text === '' ? undefined : readSlurmId(text);
  if (text !== '' && id === undefined) return session.fail('scontrol_print_step error: Invalid job id specified');
  const client = await session.world.connect();
  const shown = id?.step === undefined || id.step === 'batch';
  const query = { states: 'running', limit: 10_000, ...(id === undefined ? {} : { ids: refOf(id) }) };
  const rows = shown ? await readRows(client.allQueue(query)) : [];
  const users = readUsers();
  for (const row of rows) {
    const lines = linesOf(row, uidOfJob(row.job, users), session.world.env).map(visible);
    session.print(session.oneLine ? `${lines.join(' ')}\n` : `${lines.join('\n   ')}\n\n`);
  }
  if (rows.length > 0) return;
  if (id === undefined) session.print('No job steps in the system\n');
  else {
    session.print(`Job step ${id.step === undefined ? `${id.text}.` : id.text} not found\n`);
    session.exitCode = 1;
  }
}

function linesOf(row: QueueRow, uid: number, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const start = localTime(startOf(row), localZone, 'Unknown');
  return [
    `StepId=${rowId(row, env)}.batch UserId=${uid} StartTime=${start} TimeLimit=UNLIMITED`,
    `State=${row.state === 'SUSPENDED' ? row.state : 'RUNNING'} Partition=${rowPartition(row)} NodeList=${rowNodeList(row)}`,
    `Nodes=${rowNodeCount(row)} CPUs=0 Tasks=1 Name=batch Network=(null)`,
    'TRES=(null)',
    'ResvPorts=(null)',
    'CPUFreqReq=Default',
    'SrunHost:Pid=(null):0',
  ];
}
