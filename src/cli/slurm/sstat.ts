import { MAX_PAGE } from '../../api/limits.ts';
import type { QueueTask } from '../../api/queue.ts';
import { SSTAT_OPTIONS } from '../../config/slurm/account-options.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import type { World } from '../world.ts';
import { fieldTable } from './acct-fields.ts';
import { type AcctField, acctHeader, acctLine, readAcctFormat } from './acct-format.ts';
import { chosenStyle } from './acct-style.ts';
import { fullClock } from './clock-text.ts';
import { allValues, type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { readSlurmIds } from './job-ids.ts';

const NAMES =
  'AveCPU:10 AveCPUFreq:10 AveDiskRead:12 AveDiskWrite:12 AvePages:10 AveRSS:10 AveVMSize:10 ConsumedEnergy:14 ConsumedEnergyRaw:17 JobID:-12 ' +
  'MaxDiskRead:12 MaxDiskReadNode:15 MaxDiskReadTask:15 MaxDiskWrite:12 MaxDiskWriteNode:16 MaxDiskWriteTask:16 MaxPages:8 MaxPagesNode:12 ' +
  'MaxPagesTask:14 MaxRSS:10 MaxRSSNode:10 MaxRSSTask:10 MaxVMSize:10 MaxVMSizeNode:14 MaxVMSizeTask:14 MinCPU:10 MinCPUNode:10 MinCPUTask:10 ' +
  'Nodelist:20 NTasks:8 Pids:20 ReqCPUFreq:13 ReqCPUFreqMin:13 ReqCPUFreqMax:13 ReqCPUFreqGov:13 TRESUsageInAve:14 TRESUsageInMax:14 ' +
  'TRESUsageInMaxNode:18 TRESUsageInMaxTask:18 TRESUsageInMin:14 TRESUsageInMinNode:18 TRESUsageInMinTask:18 TRESUsageInTot:14 TRESUsageOutAve:15 ' +
  'TRESUsageOutMax:15 TRESUsageOutMaxNode:19 TRESUsageOutMaxTask:19 TRESUsageOutMin:15 TRESUsageOutMinNode:19 TRESUsageOutMinTask:19 TRESUsageOutTot:15';
const STANDARD =
  'jobid,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,maxpages,maxpagesnode,maxpagestask,avepages,' +
  'mincpu,mincpunode,mincputask,avecpu,ntasks,avecpufreq,reqcpufreqmin,reqcpufreqmax,reqcpufreqgov,consumedenergy,maxdiskread,maxdiskreadnode,' +
  'maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,maxdiskwritetask,avediskwrite,tresusageinave,tresusageinmax,tresusageinmaxnode,' +
  'tresusageinmaxtask,tresusageinmin,tresusageinminnode,tresusageinmintask,tresusageintot,tresusageoutave,tresusageoutmax,tresusageoutmaxnode,' +
  'tresusageoutmaxtask,tresusageoutmin,tresusageoutminnode,tresusageoutmintask,tresusageouttot';

/** What is known of a step that runs; what it has used is measured when it ends. */
const VALUES: Readonly<Record<string, (task: QueueTask) => string>> = {
  JobID: ({ rawId }) => `${rawId}.batch`,
  NTasks: () => '1',
  Nodelist: ({ worker = '' }) => worker,
  AveCPU: ({ cpuMs }) => (cpuMs === undefined ? '' : fullClock(cpuMs)),
  MaxRSS: ({ maxRssBytes }) => (maxRssBytes === undefined ? '' : `${Math.round(maxRssBytes / 1_024)}K`),
};

const FIELDS: readonly AcctField<QueueTask>[] = NAMES.split(' ').map((word) => {
  const [title = '', width] = word.split(':');
  return { title, width: Number(width), value: VALUES[title] ?? (() => '') };
});

/** `sstat`: what runs of jobs. */
export const sstat = defineDialect({
  command: 'sstat',
  usage: ['[options] -j job(.step)'],
  about: 'Lists the steps of a job that run. What they use is measured when they end: sacct tells it then.',
  options: SSTAT_OPTIONS,
  run,
});

async function run(input: DialectInput, world: World): Promise<number> {
  if (isGiven(input, 'helpformat')) {
    world.stdout.write(fieldTable(FIELDS.map(({ title }) => title)));
    return 0;
  }
  const ids = allValues(input, 'jobs').flatMap((list) => readSlurmIds('sstat', list));
  if (ids.length === 0) throw refuse([{ form: 'error', text: "You didn't give me any jobs to stat." }], 1);
  const standard = isGiven(input, 'pidformat') ? 'jobid,nodelist,pids' : STANDARD;
  const fields = readAcctFormat(lastValue(input, 'format') ?? standard, FIELDS);
  const style = chosenStyle(input);
  const client = await world.connect();
  if (!isGiven(input, 'noheader')) world.stdout.write(acctHeader(fields, style));
  for (const { ref, step, text } of ids) {
    const name = ref.kind === 'job' ? String(ref.id) : `${ref.id}_[${ref.indices}]`;
    const { jobs } = await client.queue({ ids: name, states: 'running', limit: MAX_PAGE });
    const tasks = jobs.flatMap((job) => job.tasks);
    // Slurm tells of the batch step where it is named, or all are.
    const shown = step === 'batch' || (step === undefined && isGiven(input, 'allsteps')) ? tasks : [];
    for (const task of shown) world.stdout.write(acctLine(fields, task, style));
    if (tasks.length === 0) world.stderr.write(`sstat: error: couldn't get steps for job ${text}\n`);
  }
  return 0;
}
