import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { type JobRecord, jobRecordText } from './job-record.ts';
import { readJobUpdate, refusedFor } from './update-words.ts';

const clock = { now: Date.UTC(2026, 10, 21, 18, 53, 45), zone: () => 0 };
const changes = (...words: string[]) => readJobUpdate(['jobid=72', ...words], clock).changes;
const refused = (...words: string[]) => slurmWords(() => readJobUpdate(words, clock), 'scontrol');
const MINUTE = 60_000;

describe('scontrol update', () => {
  test.each([
    ['JobName=three', { name: 'three' }],
    ['Nice=10', { nice: 10 }],
    ['Nice=-5', { nice: -5 }],
    ['Nice', { nice: 100 }],
    ['TimeLimit=5', { timeLimit: { by: '=', ms: 5 * MINUTE } }],
    ['TimeLimit=+10', { timeLimit: { by: '+', ms: 10 * MINUTE } }],
    ['TimeLimit=+1', { timeLimit: { by: '+', ms: MINUTE } }],
    ['TimeLimit=-3', { timeLimit: { by: '-', ms: 3 * MINUTE } }],
    ['TimeLimit-=1', { timeLimit: { by: '-', ms: MINUTE } }],
    ['timelimit+=1-0', { timeLimit: { by: '+', ms: 1_440 * MINUTE } }],
    ['TimeLimit=1-2:03:04', { timeLimit: { by: '=', ms: 1_564 * MINUTE } }],
    ['TimeLimit=-1', { timeLimit: { by: '=', ms: 0 } }],
    ['TimeLimit=UNLIMITED', { timeLimit: { by: '=', ms: 0 } }],
    ['Priority=77', { priority: 77 }],
    ['StartTime=now+1hour', { begin: { kind: 'in', inMs: 60 * MINUTE } }],
    ['Deadline=2030-01-01', { deadline: { kind: 'at', at: Date.UTC(2030, 0, 1) } }],
    ['Requeue=0', { requeue: false }],
    ['Comment=x y=z', { comment: 'x y=z' }],
    ['Partition=short', { partition: 'short' }],
    ['NumCPUs=3', { cpus: 3 }],
    ['MinMemoryCPU=200', { memory: { per: 'cpu', bytes: 209_715_200 } }],
    ['MinMemoryNode=1G', { memory: { per: 'node', bytes: 1_073_741_824 } }],
    ['ArrayTaskThrottle=3', { throttle: 3 }],
    ['Dependency=', { after: '' }],
    ['Dependency=afterok:7:8', { after: 'afterok:7,afterok:8' }],
    ['Account=x', { account: 'x' }],
    ['QOS=x', { qos: 'x' }],
    ['WCKey=x', { wckey: 'x' }],
    ['MailUser=a@b', { mailUser: 'a@b' }],
    ['StdOut=/tmp/x.out', { output: '/tmp/x.out' }],
    ['EligibleTime=now', { begin: { kind: 'in', inMs: 0 } }],
    ['arraytask=0', { throttle: 0 }],
    ['Name=n', { name: 'n' }],
  ])('%s', (word, read) => expect(changes(word)).toEqual(read));

  test('several changes of several jobs, in two words too', () => {
    const update = readJobUpdate(['JobId', '7,8_[1-2]', 'arraytaskthrottle', '1', 'Nice=2'], clock);
    expect(update.list).toBe('7,8_[1-2]');
    expect(update.changes).toEqual({ throttle: 1, nice: 2 });
  });

  // Answers of Slurm 22.05.8.
  test.each([
    [['jobid=72', 'Nope=1'], 'Update of this parameter is not supported: Nope=1\nRequest aborted\nrc=1'],
    [['jobid=72'], 'No changes specified\nrc=1'],
    [
      ['Nice=1'],
      'No valid entity in update command\nInput line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"\nrc=1',
    ],
    [['jobid=72', 'TimeLimit=nope'], 'scontrol: error: Invalid TimeLimit value\nrc=1'],
    [['jobid=72', 'ArrayTaskThrottle=-1'], 'scontrol: error: Invalid ArrayTaskThrottle value\nrc=1'],
    [['jobid=143', 'Dependency=nope:7'], 'Job dependency problem for job 143\nrc=1'],
    [['jobid=143_2', 'Dependency=afterok:abc'], '143_2: Job dependency problem\nrc=1'],
    [['jobid=72', 'Comment=a\nb'], 'scontrol: error: Invalid Comment value\nrc=1'],
    [['jobid=72', 'MinMemoryNode=x'], 'scontrol: error: Invalid MinMemoryNode value\nrc=1'],
    [['jobid=72', 'StartTime=nope'], 'Invalid time specification (pos=0): nope\nrc=1'],
    [['jobid=72', 'StartTime='], 'scontrol: error: Invalid StartTime value\nrc=1'],
    [['jobid=72', 'Requeue=2'], 'scontrol: error: Invalid Requeue value\nrc=1'],
  ])('refuses %j', (words, text) => expect(refused(...words)).toBe(text));

  test('a job that refuses', () => {
    expect(refusedFor('72_99', 'Invalid job id specified')).toBe('72_99: Invalid job id specified');
    expect(refusedFor('77', 'Job has already finished')).toBe('Job has already finished for job 77');
  });
});

const waiting: JobRecord = {
  jobId: 72,
  array: { jobId: 72, tasks: '1-5%2', throttle: 2 },
  name: 'd',
  user: 'nobody(65534)',
  group: 'nogroup(65534)',
  priority: 0,
  nice: 0,
  account: 'test',
  qos: 'normal',
  state: 'PENDING',
  reason: 'JobHeldUser',
  dependency: '(null)',
  requeue: true,
  restarts: 0,
  exitCode: '0:0',
  runTime: '00:00:00',
  timeLimit: 'UNLIMITED',
  submitTime: '2026-11-21T18:52:49',
  eligibleTime: 'Unknown',
  startTime: 'Unknown',
  endTime: 'Unknown',
  deadline: 'N/A',
  suspendTime: 'None',
  beforeSuspend: 0,
  partition: 'main',
  submitHost: 'localhost',
  nodes: '',
  batchHost: '',
  nodeCount: '1',
  cpus: 1,
  tasks: 1,
  cpusPerTask: 1,
  memory: { per: 'CPU', text: '100M' },
  tres: 'cpu=1,mem=100M,node=1,billing=1',
  tasksPerNode: 0,
  features: '(null)',
  requestedNodes: '(null)',
  excludedNodes: '(null)',
  licenses: '(null)',
  exclusive: 'OK',
  command: '/w/t.sh',
  directory: '/w',
  comment: 'a b',
  stdErr: '/dev/null',
  stdIn: '/dev/null',
  stdOut: '/dev/null',
  tresPerNode: '',
  mail: undefined,
  details: [],
  notes: [],
};

describe('scontrol show job', () => {
  const lines = { oneLine: false, detailed: false };

  test('tasks that wait, as Slurm 22.05.8 shows them', () => {
    expect(jobRecordText(waiting, lines)).toBe(`JobId=72 ArrayJobId=72 ArrayTaskId=1-5%2 ArrayTaskThrottle=2 JobName=d
   UserId=nobody(65534) GroupId=nogroup(65534) MCS_label=N/A
   Priority=0 Nice=0 Account=test QOS=normal
   JobState=PENDING Reason=JobHeldUser Dependency=(null)
   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=00:00:00 TimeLimit=UNLIMITED TimeMin=N/A
   SubmitTime=2026-11-21T18:52:49 EligibleTime=Unknown
   AccrueTime=Unknown
   StartTime=Unknown EndTime=Unknown Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-21T18:52:49 Scheduler=Main
   Partition=main AllocNode:Sid=localhost:0
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList=
   NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   TRES=cpu=1,mem=100M,node=1,billing=1
   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*
   MinCPUsNode=1 MinMemoryCPU=100M MinTmpDiskNode=0
   Features=(null) DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)
   Command=/w/t.sh
   WorkDir=/w
   Comment=a b${' '}
   StdErr=/dev/null
   StdIn=/dev/null
   StdOut=/dev/null
   Power=
${'   '}

`);
  });

  test('in one line', () => {
    const text = jobRecordText(waiting, { ...lines, oneLine: true });
    expect(text.startsWith('JobId=72 ArrayJobId=72 ArrayTaskId=1-5%2 ArrayTaskThrottle=2 JobName=d UserId=')).toBe(
      true,
    );
    expect(text.endsWith('Comment=a b  StdErr=/dev/null StdIn=/dev/null StdOut=/dev/null Power= \n')).toBe(true);
    expect(text.indexOf('\n')).toBe(text.length - 1);
  });

  test('a plain job that runs, in detail', () => {
    const { array: _, ...rest } = waiting;
    const running: JobRecord = {
      ...rest,
      name: 'two\nlines JobState=FAKE',
      nodes: 'n[1-2]',
      batchHost: 'n1',
      comment: undefined,
      tasksPerNode: 2,
      cpusPerTask: 3,
      tresPerNode: 'gres:gpu:1',
      mail: { user: 'a@b', types: 'END,FAIL' },
      details: ['JOB_GRES=(null)', '  Nodes=n1 CPU_IDs=0 Mem=100 GRES='],
      notes: ['--partition is recorded and has no effect'],
    };
    const text = jobRecordText(running, { ...lines, detailed: true });
    expect(text).toContain('JobId=72 JobName=two·lines JobState=FAKE\n');
    expect(text).toContain('   DerivedExitCode=0:0\n');
    expect(text).toContain('   NodeList=n[1-2]\n   BatchHost=n1\n');
    expect(text).toContain('NtasksPerN:B:S:C=2:0:*:*');
    expect(text).toContain('MinCPUsNode=6 ');
    expect(text).not.toContain('Comment=');
    expect(text).toContain(
      '   Power=\n   TresPerNode=gres:gpu:1\n   MailUser=a@b MailType=END,FAIL\n   Note=--partition is recorded and has no effect\n',
    );
    expect(text).toContain('CoreSpec=*\n   JOB_GRES=(null)\n     Nodes=n1 CPU_IDs=0 Mem=100 GRES=\n   MinCPUsNode=6 ');
  });
});
