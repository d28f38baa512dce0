import { visible } from '../../core/error-text.ts';

/** What `scontrol show job` tells of one job, task or group of tasks that wait; texts as they are shown. */
export interface JobRecord {
  readonly jobId: number;
  /** Of a task or of tasks of an array. */
  readonly array?: { readonly jobId: number; readonly tasks: string; readonly throttle: number };
  readonly name: string;
  /** `nobody(65534)` */
  readonly user: string;
  readonly group: string;
  readonly priority: number;
  readonly nice: number;
  readonly account: string;
  readonly qos: string;
  readonly state: string;
  readonly reason: string;
  readonly dependency: string;
  readonly requeue: boolean;
  readonly restarts: number;
  readonly exitCode: string;
  readonly runTime: string;
  readonly timeLimit: string;
  readonly submitTime: string;
  readonly eligibleTime: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly deadline: string;
  readonly suspendTime: string;
  /** Seconds that it had run when it was last suspended or resumed. */
  readonly beforeSuspend: number;
  readonly partition: string;
  readonly submitHost: string;
  /** Where it runs or ran, in one list; empty before. */
  readonly nodes: string;
  /** The first of them. */
  readonly batchHost: string;
  /** `2`, and of what waits `1-2`. */
  readonly nodeCount: string;
  readonly cpus: number;
  readonly tasks: number;
  readonly cpusPerTask: number;
  readonly memory: { readonly per: 'CPU' | 'Node'; readonly text: string };
  readonly tres: string;
  readonly tasksPerNode: number;
  readonly features: string;
  readonly excludedNodes: string;
  readonly requestedNodes: string;
  readonly licenses: string;
  readonly exclusive: 'OK' | 'NO' | 'USER' | 'MCS';
  readonly command: string;
  readonly directory: string;
  /** Undefined: it never had one. */
  readonly comment: string | undefined;
  readonly stdErr: string;
  readonly stdIn: string;
  readonly stdOut: string;
  /** `gres/gpu:2` of `--gres`; empty for none. */
  readonly tresPerNode: string;
  readonly mail: { readonly user: string; readonly types: string } | undefined;
  /** Shown with `-d`: what it has on each node. */
  readonly details: readonly string[];
  /** Shown with `-d`: what was accepted and has no effect. */
  readonly notes: readonly string[];
}

type Pair = readonly [key: string, value: string | number];
/** `Key=Value` pairs, or a whole line of its own. */
type Line = readonly Pair[] | string;

/** The lines of a record, each of `Key=Value` pairs. Source: scontrol of Slurm 22.05.8. */
function linesOf(job: JobRecord, detailed: boolean): readonly string[] {
  const { array } = job;
  const rows: readonly Line[] = [
    [
      ['JobId', job.jobId],
      ...(array === undefined
        ? []
        : ([
            ['ArrayJobId', array.jobId],
            ['ArrayTaskId', array.tasks],
          ] as const)),
      ...(array !== undefined && array.throttle > 0 ? [['ArrayTaskThrottle', array.throttle] as const] : []),
      ['JobName', job.name],
    ],
    [
      ['UserId', job.user],
      ['GroupId', job.group],
      ['MCS_label', 'N/A'],
    ],
    [
      ['Priority', job.priority],
      ['Nice', job.nice],
      ['Account', job.account],
      ['QOS', job.qos],
    ],
    [
      ['JobState', job.state],
      ['Reason', job.reason],
      ['Dependency', job.dependency],
    ],
    [
      ['Requeue', Number(job.requeue)],
      ['Restarts', job.restarts],
      ['BatchFlag', 1],
      ['Reboot', 0],
      ['ExitCode', job.exitCode],
    ],
    ...(detailed ? [[['DerivedExitCode', '0:0'] as const]] : []),
    [
      ['RunTime', job.runTime],
      ['TimeLimit', job.timeLimit],
      ['TimeMin', 'N/A'],
    ],
    [
      ['SubmitTime', job.submitTime],
      ['EligibleTime', job.eligibleTime],
    ],
    [['AccrueTime', job.eligibleTime]],
    [
      ['StartTime', job.startTime],
      ['EndTime', job.endTime],
      ['Deadline', job.deadline],
    ],
    [
      ['SuspendTime', job.suspendTime],
      ['SecsPreSuspend', job.beforeSuspend],
      ['LastSchedEval', job.submitTime],
      ['Scheduler', 'Main'],
    ],
    [
      ['Partition', job.partition],
      ['AllocNode:Sid', `${job.submitHost}:0`],
    ],
    [
      ['ReqNodeList', job.requestedNodes],
      ['ExcNodeList', job.excludedNodes],
    ],
    [['NodeList', job.nodes]],
    ...(job.batchHost === '' ? [] : [[['BatchHost', job.batchHost] as const]]),
    [
      ['NumNodes', job.nodeCount],
      ['NumCPUs', job.cpus],
      ['NumTasks', job.tasks],
      ['CPUs/Task', job.cpusPerTask],
      ['ReqB:S:C:T', '0:0:*:*'],
    ],
    [['TRES', job.tres]],
    [
      ['Socks/Node', '*'],
      ['NtasksPerN:B:S:C', `${job.tasksPerNode}:0:*:*`],
      ['CoreSpec', '*'],
    ],
    ...(detailed ? job.details : []),
    [
      ['MinCPUsNode', job.tasksPerNode > 0 ? job.tasksPerNode * job.cpusPerTask : job.cpusPerTask],
      [`MinMemory${job.memory.per}`, job.memory.text],
      ['MinTmpDiskNode', 0],
    ],
    [
      ['Features', job.features],
      ['DelayBoot', '00:00:00'],
    ],
    [
      ['OverSubscribe', job.exclusive],
      ['Contiguous', 0],
      ['Licenses', job.licenses],
      ['Network', '(null)'],
    ],
    [['Command', job.command]],
    [['WorkDir', job.directory]],
    // The blank behind it is Slurm's.
    ...(job.comment === undefined ? [] : [[['Comment', `${job.comment} `] as const]]),
    [['StdErr', job.stdErr]],
    [['StdIn', job.stdIn]],
    [['StdOut', job.stdOut]],
    [['Power', '']],
    ...(job.tresPerNode === '' ? [] : [[['TresPerNode', job.tresPerNode] as const]]),
    ...(job.mail === undefined
      ? []
      : [
          [
            ['MailUser', job.mail.user],
            ['MailType', job.mail.types],
          ] as const,
        ]),
    ...(detailed ? job.notes.map((note): Line => [['Note', note]]) : []),
    '',
  ];
  return rows.map((row) => {
    return typeof row === 'string'
      ? visible(row)
      : row.map(([key, value]) => `${key}=${visible(String(value))}`).join(' ');
  });
}

/** A record as `scontrol show job` prints it: in indented lines and a blank one behind it, or with `-o` in one line. */
export function jobRecordText(
  job: JobRecord,
  options: { readonly oneLine: boolean; readonly detailed: boolean },
): string {
  const lines = linesOf(job, options.detailed);
  return options.oneLine ? `${lines.join(' ')}\n` : `${lines.join('\n   ')}\n\n`;
}
