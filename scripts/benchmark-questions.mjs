// What docs/benchmarks.md asks: of which result, shown how, against which goal. `because` says why a goal is missed.
import { DATA_QUESTIONS } from './benchmark-questions-data.mjs';
import { SLURM_QUESTIONS } from './benchmark-questions-slurm.mjs';
import { number } from './figures.mjs';

const ms = (value) => `${number(value)} ms`;
const rate = (value) => `${number(value)}/s`;
const times = (value) => `${number(value)} x`;

const INSTANCES = [20, 100, 400, 1000];
const followed = (result, size) => result[`${size}: all peers files follow the end of a member, ms`].median;
const ready = (result, size) => result[`${size}: all run and have complete peers files, ms`];
const barrier = (result, size) => result[`${size}: from the start of the last one until all have them, ms`];
const EACH = '1000: memory of each with its share of the agent (PSS), MB';
const IDLE_INSTANCES = '1000: idle, per cent of one processor';
const LEAKS = '500: launched, ended and nothing left';
const LEFT = ['processes', 'mounts', 'files', 'directories', 'cgroups', 'dnsRecords'];

const VERBS = ['submit', 'hold', 'release', 'cancel'];
const XARGS = 'spawn / xargs, median of pairs';
const PARALLEL = 'spawn / parallel, median of pairs';
const RATIO = 'ratio, median of pairs';
const START = 'submit to first stamp ms';
const NEXT = 'end of A_i to stamp of B_i ms';
const ALONE = 'date started by this process alone ms';
const READY = 'ready after kill -9 with half done, ms';
const DISK = 'disk bytes a task, half done with every outcome';
const LIVE = 'bytes a task, the same with an eighth of all running';
const OBJECT = 'bytes a task, an object a task';
const GROWTH = 'rate at 1000000 / rate at 10000, median of pairs';
const SMALL = 'submit to first start of 10 tasks ms';
const SECOND = 'share of the slots of a second large job';
const BESIDE = 'rate beside / rate alone, median of pairs';
const SUMMARIES = [
  'half failed, still running, ms',
  'half failed, after kill -9, ms',
  'half failed, ended, from the store, ms',
];
const STATUS = 'spawn status as a whole process, ms';
const IDLE = 'with sessions, CPU seconds a minute';
const NO_WORKERS = 'without sessions, CPU seconds a minute';
const IDLE_MEMORY = 'with sessions, resident memory MB';
const NO_WORKERS_MEMORY = 'without sessions at first, resident memory MB';

const GONE = 'until all are gone, ms';
const BESIDE_GREP = 'spawn / xargs -P2 grep -c, median of pairs';
const SEARCHED = ['a rare literal', 'a common word', 'alternatives with a class'];
const mbs = (value) => `${number(value)} MB/s`;

const peersOf = (result) => Object.values(result).filter((value) => value?.setting !== undefined);

export const QUESTIONS = [
  {
    question: 'Submit, hold, release, cancel an array of 1,000,000: the whole request',
    file: 'array-verbs',
    show: (result) => VERBS.map((verb) => ms(result[`${verb} 1000000 ms`].median)).join(', '),
    goal: 'each under 20 ms',
    reached: (result) => VERBS.every((verb) => result[`${verb} 1000000 ms`].median < 20),
  },
  {
    question: '`spawn submit --array 1000000` as a whole process',
    file: 'whole-process',
    show: (result) => ms(result['spawn submit --array 1000000']['median ms']),
    goal: 'under 300 ms',
    reached: (result) => result['spawn submit --array 1000000']['median ms'] < 300,
  },
  {
    question: '`spawn --version` as a whole process, beside `node -e 0`',
    file: 'whole-process',
    show: (result) => `${times(result['spawn --version'][RATIO])}: ${ms(result['spawn --version']['median ms'])}`,
    goal: 'under 2 x',
    reached: (result) => result['spawn --version'][RATIO] < 2,
  },
  {
    question: '`spawn jobs` as a whole process, beside `node -e 0`',
    file: 'whole-process',
    show: (result) => `${times(result['spawn jobs'][RATIO])}: ${ms(result['spawn jobs']['median ms'])}`,
    goal: 'under 4 x',
    reached: (result) => result['spawn jobs'][RATIO] < 4,
  },
  {
    question: 'Shell tasks, `true` x 10,000, beside `xargs -P2`',
    file: 'shell-tasks',
    args: ' --rounds 5',
    show: (result) => `${times(result[XARGS])}: ${rate(result['spawn tasks per second'].median)}`,
    goal: 'at least 1 x',
    reached: (result) => result[XARGS] >= 1,
    because: (result) =>
      `\`xargs\` starts ${rate(result['xargs -P2 tasks per second'].median)} and does nothing else; spawn also reads the output of each task, and syncs its start and end, on the same cores.`,
  },
  {
    question: 'The same, beside GNU parallel',
    file: 'shell-tasks',
    args: ' --rounds 5',
    show: (result) => times(result[PARALLEL]),
    goal: 'at least 5 x',
    reached: (result) => result[PARALLEL] >= 5,
  },
  {
    question: 'No-op tasks through the real server, arrays of 1,000,000',
    file: 'noop-tasks',
    show: (result) => rate(result['tasks per second of 1000000'].median),
    goal: 'at least 100,000/s',
    reached: (result) => result['tasks per second of 1000000'].median >= 100_000,
  },
  {
    question: 'The same, beside task queues of Node (below)',
    file: 'queue-peers',
    show: (result) =>
      peersOf(result)
        .map((peer) => times(peer['spawn / peer, median of pairs']))
        .join(', '),
    goal: 'at least 3 x each',
    reached: (result) => peersOf(result).every((peer) => peer['spawn / peer, median of pairs'] >= 3),
  },
  {
    question: 'From submit to the first act of the task',
    file: 'latency',
    show: (result) => `p50 ${ms(result[START].p50)}, p99 ${ms(result[START].p99)}`,
    goal: 'p50 under 3 ms, p99 under 15 ms',
    reached: (result) => result[START].p50 < 3 && result[START].p99 < 15,
    because: (result) =>
      `the time includes loading \`date\`, which stamps it. Started by an idle process without spawn, \`date\` alone takes p50 ${ms(result[ALONE].p50)} and p99 ${ms(result[ALONE].p99)}.`,
  },
  {
    question: 'From the end of A_i to the first act of B_i (`aftercorr`)',
    file: 'latency',
    show: (result) => `p50 ${ms(result[NEXT].p50)}, p99 ${ms(result[NEXT].p99)}`,
    goal: 'p50 under 3 ms, p99 under 15 ms',
    reached: (result) => result[NEXT].p50 < 3 && result[NEXT].p99 < 15,
    because: (result) =>
      `the time holds two ends of a process and a start: the stamp of A_i is \`date\`'s last act, then it exits, its end is committed, and \`date\` of B_i is loaded (alone: p50 ${ms(result[ALONE].p50)}).`,
  },
  {
    question: 'Memory of a live task: half granted, an eighth of all running; an object a task beside',
    file: 'memory-per-task',
    show: (result) => `${number(result[LIVE].median)} B; ${number(result[OBJECT].median)} B`,
    goal: 'under 40 B',
    reached: (result) => result[LIVE].median < 40,
  },
  {
    question: 'Disk for a finished task, with its outcome',
    file: 'restart',
    show: (result) => `${number(result[DISK])} B`,
    goal: 'under 60 B',
    reached: (result) => result[DISK] < 60,
  },
  {
    question: 'Ready after `kill -9` with 1,000,000 tasks half done',
    file: 'restart',
    show: (result) => ms(result[READY].median),
    goal: 'under 2 s',
    reached: (result) => result[READY].median < 2_000,
  },
  {
    question: 'Tasks a second in an array of 1,000,000, beside arrays of 10,000',
    file: 'growth',
    show: (result) => times(result[GROWTH]),
    goal: 'at least 0.9 x',
    reached: (result) => result[GROWTH] >= 0.9,
  },
  {
    question: 'Tasks a second of arrays of 10,000, with 1,000,000 held beside them',
    file: 'growth',
    show: (result) => times(result[BESIDE]),
    goal: 'at least 0.9 x',
    reached: (result) => result[BESIDE] >= 0.9,
  },
  {
    question:
      'A regular expression over the logs of 100,000 tasks, 1.1 GB: a literal, a word, alternatives with a class; beside `xargs -P2 grep -c`',
    file: 'grep',
    show: (result) =>
      `${SEARCHED.map((name) => mbs(result[name]['spawn MB per second'])).join(', ')}; ${SEARCHED.map((name) => times(result[name][BESIDE_GREP])).join(', ')}`,
    goal: 'at least 500 MB/s',
    reached: (result) => SEARCHED.every((name) => result[name]['spawn MB per second'] >= 500),
    because: (result) =>
      `other work had the cores too (load average before it: ${result['load average before it']}). Of processor time a second searches ${SEARCHED.map((name) => mbs(result[name]['spawn MB per second of processor time'])).join(', ')}, and there are two cores.`,
  },
  {
    question: 'Summary of 1,000,000 tasks, half of them failed, logs read: running, after `kill -9`, ended long ago',
    file: 'status',
    show: (result) => SUMMARIES.map((name) => ms(result[name].median)).join(', '),
    goal: 'each under 200 ms',
    reached: (result) => SUMMARIES.every((name) => result[name].median < 200),
  },
  {
    question: '`spawn status` of that job as a whole process',
    file: 'status',
    show: (result) => ms(result[STATUS].median),
    goal: 'under 200 ms',
    reached: (result) => result[STATUS].median < 200,
    because: (result) =>
      `other work had the cores too (load average before it: ${result['load average before it']}); the summary itself took ${ms(result[SUMMARIES[1]].median)} then.`,
  },
  {
    question: 'A job of 10 tasks beside a running array of 1,000,000 short ones: from submit to its first start',
    file: 'fairness',
    show: (result) => `p50 ${ms(result[SMALL].p50)}, p99 ${ms(result[SMALL].p99)}`,
    goal: 'under 1 s',
    reached: (result) => result[SMALL].max < 1_000,
  },
  {
    question: 'Part of the slots that a second such array gets beside the first',
    file: 'fairness',
    show: (result) => number(result[SECOND]),
    goal: '0.45 to 0.55',
    reached: (result) => Math.abs(result[SECOND] - 0.5) <= 0.05,
  },
  {
    question:
      '1,000 connected workers with nothing to do: CPU time of the coordinator a minute, and its memory (without any)',
    file: 'idle-workers',
    args: ' --seconds 40',
    show: (result) =>
      `${number(result[IDLE].median)} s (${number(result[NO_WORKERS].median)} s), ${number(result[IDLE_MEMORY].median)} MB (${number(result[NO_WORKERS_MEMORY])} MB)`,
    goal: 'under 6 s, a tenth of a core',
    reached: (result) => result[IDLE].median < 6,
  },
  {
    question: '`spawn cancel` of 10,000 running `sleep`: until the command has ended, and until all of them are gone',
    file: 'cancel',
    show: (result) => `${ms(result['spawn cancel as a whole process, ms'].median)}, ${ms(result[GONE].median)}`,
    goal: 'all gone within 5 s',
    reached: (result) => result[GONE].median < 5_000,
  },
  {
    question:
      '100 local instances, launched at once, until all have complete peers files (from the start of the last one)',
    file: 'instances',
    show: (result) => `${ms(ready(result, 100))} (${ms(barrier(result, 100))})`,
    goal: 'under 10 s on 2 cores',
    reached: (result) => ready(result, 100) < 10_000,
  },
  {
    question: '1,000 of them, and the memory of each with its share of the agent',
    file: 'instances',
    show: (result) => `${ms(ready(result, 1000))} (${ms(barrier(result, 1000))}), ${number(result[EACH])} MB`,
    goal: 'at once within the memory of this machine, under 8 MB each',
    reached: (result) => result[EACH] < 8,
  },
  {
    question: 'All peers files follow the end of a member: of 20, of 100, of 400 and of 1,000',
    file: 'instances',
    show: (result) => INSTANCES.map((size) => ms(followed(result, size))).join(', '),
    goal: 'within 1 s at every size',
    reached: (result) => INSTANCES.every((size) => followed(result, size) < 1_000),
  },
  {
    question:
      '500 instances launched and ended: processes, mounts, files, directories, cgroups and DNS records of before, during and after',
    file: 'instances',
    show: (result) =>
      ['before', 'during', 'after']
        .map((when) => LEFT.map((what) => number(result[LEAKS][when][what])).join(' '))
        .join(' / '),
    goal: 'after as before',
    reached: (result) => LEFT.every((what) => result[LEAKS].before[what] === result[LEAKS].after[what]),
  },
  {
    question:
      '1,000 idle instances: processor time of the server, of the agent and of the instances themselves, per cent of one core',
    file: 'instances',
    show: (result) => Object.values(result[IDLE_INSTANCES]).map(number).join(', '),
    goal: 'server and agent under 5 each',
    reached: (result) => result[IDLE_INSTANCES].server < 5 && result[IDLE_INSTANCES].agent < 5,
  },
  {
    question: 'DNS answers over UDP about 1,000 instances, on one core, beside Knot DNS (and BIND) on all cores',
    file: 'dns',
    args: ' --rounds 3 --seconds 5',
    show: (result) =>
      `${rate(result['spawn over udp']['answers per second'])}, ${times(result['ratio to knot over udp'])} (${times(result['ratio to bind9 over udp'])})`,
    goal: '10,000/s: ten names a second for each',
    reached: (result) => result['spawn over udp']['answers per second'] >= 10_000,
  },
  {
    question: 'The same over TCP',
    file: 'dns',
    args: ' --rounds 3 --seconds 5',
    show: (result) =>
      `${rate(result['spawn over tcp']['answers per second'])}, ${times(result['ratio to knot over tcp'])} (${times(result['ratio to bind9 over tcp'])})`,
    goal: '10,000/s: ten names a second for each',
    reached: (result) => result['spawn over tcp']['answers per second'] >= 10_000,
  },
  ...SLURM_QUESTIONS,
  ...DATA_QUESTIONS,
];
