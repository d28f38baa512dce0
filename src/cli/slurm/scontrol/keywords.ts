import type { Session } from './session.ts';

/** One of scontrol's commands. */
export interface Keyword {
  readonly name: string;
  /** It may be cut short, but not below so many letters. */
  readonly least: number;
  /** Fewest and most words behind it. */
  readonly words: readonly [least: number, most: number];
  /** `about`: the word as it was written and those behind it. */
  readonly run: (session: Session, words: readonly string[], written: string) => void | Promise<void>;
}

const MANY = Number.POSITIVE_INFINITY;
const NOT_HERE = 'Requested operation not supported on this system';

function flag(name: string, least: number, set: (session: Session) => void): Keyword {
  return { name, least, words: [0, 0], run: set };
}

/** What only the administrator of a Slurm does; none of it exists here. */
function refused(name: string, least: number, what: string): Keyword {
  return { name, least, words: [0, MANY], run: (session) => session.fail(`${what} error: ${NOT_HERE}`) };
}

function control(name: string, least: number): Keyword {
  return {
    name,
    least,
    words: [1, MANY],
    run: async (session, words) => (await import('./control.ts')).controlJobs(session, name, words),
  };
}

function show(name: 'ping' | 'version', least: number): Keyword {
  return {
    name,
    least,
    words: [0, 0],
    run: async (session) => (await import('./show-server.ts')).SHOW[name](session),
  };
}

/** The first that fits counts. Source: scontrol(1), COMMANDS; lengths as scontrol of Slurm 22.05.8 takes them. */
const KEYWORDS: readonly Keyword[] = [
  refused('abort', 5, 'slurm_shutdown'),
  flag('all', 2, () => {}),
  refused('cancel_reboot', 3, 'slurm_update'),
  { name: 'cluster', least: 2, words: [0, 1], run: chooseCluster },
  refused('completing', 2, 'slurm_load_jobs'),
  refused('create', 2, 'slurm_create'),
  flag('details', 1, (session) => {
    session.detailed = true;
  }),
  refused('delete', 3, 'slurm_delete'),
  refused('errnumstr', 2, 'errnumstr'),
  { name: 'exit', least: 2, words: [0, 0], run: end },
  refused('fsdampeningfactor', 3, 'slurm_set_fs_dampeningfactor'),
  { name: 'help', least: 2, words: [0, 0], run: async (session) => (await import('./help.ts')).printHelp(session) },
  flag('hide', 2, () => {}),
  control('hold', 4),
  control('holdu', 5),
  control('uhold', 5),
  {
    name: 'listpids',
    least: 1,
    words: [0, 2],
    run: async (session, words) => (await import('./processes.ts')).listProcesses(session, words),
  },
  refused('notify', 1, 'job notify'),
  flag('oneliner', 1, (session) => {
    session.oneLine = true;
  }),
  {
    name: 'pidinfo',
    least: 3,
    words: [1, 1],
    run: async (session, words) => (await import('./processes.ts')).tellProcess(session, words[0]!),
  },
  show('ping', 3),
  flag('quiet', 4, (session) => {
    session.quiet = true;
  }),
  { name: 'quit', least: 4, words: [0, 0], run: end },
  refused('reboot', 3, 'scontrol_reboot_nodes'),
  refused('reconfigure', 3, 'slurm_reconfigure'),
  control('release', 3),
  control('requeue', 3),
  control('requeuehold', 11),
  control('resume', 3),
  refused('setdebug', 2, 'slurm_set_debug_level'),
  refused('setdebugflags', 9, 'slurm_set_debugflags'),
  refused('schedloglevel', 3, 'slurm_set_schedlog_level'),
  {
    name: 'show',
    least: 3,
    words: [1, 2],
    run: async (session, words) => (await import('./show.ts')).show(session, words),
  },
  refused('shutdown', 8, 'slurm_shutdown'),
  control('suspend', 2),
  refused('takeover', 8, 'slurm_takeover'),
  { ...control('top', 3), words: [1, 1] },
  refused('token', 3, 'token'),
  {
    name: 'update',
    least: 1,
    words: [1, MANY],
    run: async (session, words) => (await import('./update.ts')).update(session, words),
  },
  flag('verbose', 4, (session) => {
    session.verbose = true;
    session.quiet = false;
  }),
  show('version', 4),
  {
    name: 'wait_job',
    least: 2,
    words: [1, 1],
    run: async (session, words) => (await import('./wait-job.ts')).waitJob(session, words[0]!),
  },
  {
    name: 'write',
    least: 5,
    words: [1, 3],
    run: async (session, words) => (await import('./write.ts')).write(session, words),
  },
];

function end(session: Session): void {
  session.over = true;
}

async function chooseCluster(session: Session, [name = '']: readonly string[]): Promise<void> {
  const { CLUSTER } = await import('../../../api/slurm-names.ts');
  if (name === '' || name === CLUSTER) return;
  const hint = "Use 'sacctmgr list clusters' to see available clusters.";
  session.fail(`scontrol: error: '${name}' can't be reached now, or it is an invalid entry for --cluster.  ${hint}`);
}

/** Does what the words of one command say. */
export async function runCommand(session: Session, words: readonly string[]): Promise<void> {
  const [written, ...rest] = words;
  if (written === undefined) return;
  const lower = written.toLowerCase();
  const keyword = KEYWORDS.find(({ name, least }) => lower.length >= least && name.startsWith(lower));
  if (keyword === undefined) return session.fail(`invalid keyword: ${written}`);
  const [least, most] = keyword.words;
  if (rest.length < least) return session.fail(tooFew(keyword, written));
  if (rest.length > most) {
    session.fail(`too many arguments for ${keyword.name === 'version' ? 'version keyword' : `keyword:${written}`}`);
    if (keyword.name !== 'version') return;
  }
  await keyword.run(session, rest, written);
}

function tooFew({ name }: Keyword, written: string): string {
  if (name === 'pidinfo') return `missing argument for keyword:${written}`;
  return `too few arguments for ${name === 'update' ? `${written} keyword` : `keyword:${written}`}`;
}
