import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, isAlive, type ProcessIdentity } from '../../src/client/node/process-identity.ts';
import { readLiveRecord } from '../../src/client/node/process-record.ts';
import { readInit } from '../../src/providers/local/sandbox-directory.ts';
import { type ListedInstance, OwnInstances } from './instances.ts';
import { until } from './until.ts';

/** What loaded machines take for things that take a second or two. */
const SOON_MS = 90_000;

/** Notes its start, waits for a file, and notes its end; it needs a moment to end when it is asked to. */
const WAITER = `
trap 'sleep 1; echo "$JOB_ARRAY_INDEX $SPAWN_ATTEMPT" >>"ended-$JOB_ARRAY_NAME"; exit 0' TERM
echo "$JOB_ARRAY_INDEX $SPAWN_ATTEMPT" >>"begun-$JOB_ARRAY_NAME"
until [ -e "go-$JOB_ARRAY_NAME" ]; do sleep 0.1; done
echo "$JOB_ARRAY_INDEX $SPAWN_ATTEMPT" >>"done-$JOB_ARRAY_NAME"
`;

/** An object of `spawn list -o json` with what matters when things go wrong. */
export interface FaultyInstance extends ListedInstance {
  readonly reason: string | null;
  readonly message: string | null;
  readonly dns: string | null;
  readonly job_id: number;
  readonly generation: number;
  readonly cost: number;
  readonly running_seconds: number;
  readonly rate: number;
  readonly task_state: string | null;
}

export interface EndedTask {
  readonly index: number;
  readonly state: string;
  readonly attempt: number;
  readonly reason: string | null;
  readonly outcome: string | null;
}

/** Its name in DNS, whether it has it now or not. */
export function nameOf({ job_array_name: array, job_array_index: index, tags }: ListedInstance): string {
  return `${array}-${index}.${tags['spawn:account-base36']}.spore.host`;
}

/** That of all members that run. */
export function groupNameOf({ job_array_name: array, tags }: ListedInstance): string {
  return `${array}.${tags['spawn:account-base36']}.spore.host`;
}

/** Waits generously. */
export function soon<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  return until(what, look, SOON_MS);
}

/** A user whose processes are killed. Ends everything at `close`, and then looks that nothing of an instance is left anywhere. */
export class FaultyInstances extends OwnInstances {
  constructor(uid?: number) {
    super(uid);
    writeFileSync(join(this.folder, 'waiter.sh'), WAITER, { mode: 0o644 });
  }

  /** A first start compiles everything, which on a loaded machine takes longer than a command waits. */
  async isUp(): Promise<void> {
    await soon('a coordinator', async () => (await this.run(['server', 'start'])).code === 0);
  }

  /** Launches waiters and waits until all have begun. */
  async launchWaiters(name: string, count: number, ...options: readonly string[]): Promise<FaultyInstance[]> {
    await this.ok(...this.waiters(name, count, ...options));
    await this.begun(name, count);
    return this.members(name);
  }

  waiters(name: string, count: number, ...options: readonly string[]): string[] {
    return ['launch', '--count', `${count}`, '--job-array-name', name, '--command', 'sh waiter.sh', ...options];
  }

  /** Waits until so many starts were noted. */
  begun(name: string, count: number): Promise<true> {
    return soon(`${count} starts of ${name}`, () => this.lines(`begun-${name}`).length >= count || undefined);
  }

  override letGo(name?: string): void {
    writeFileSync(join(this.folder, name === undefined ? 'go' : `go-${name}`), '');
  }

  /** All rows of an array, in order of index. */
  async members(name: string, state = 'all'): Promise<FaultyInstance[]> {
    const found = await this.list('--job-array-name', name, '--state', state);
    return (found as FaultyInstance[]).toSorted((a, b) => a.job_array_index - b.job_array_index);
  }

  async member(name: string, index: number, generation = 1): Promise<FaultyInstance> {
    const all = await this.members(name);
    return all.find((row) => row.job_array_index === index && row.generation === generation)!;
  }

  /** Waits until members of an array are so. */
  reaches(
    name: string,
    what: string,
    isSo: (rows: readonly FaultyInstance[]) => boolean,
    timeoutMs = SOON_MS,
  ): Promise<FaultyInstance[]> {
    const look = async () => {
      const rows = await this.members(name);
      return isSo(rows) ? rows : undefined;
    };
    return until(`${name}: ${what}`, look, timeoutMs);
  }

  override reached(name: string, state: string, count: number): Promise<FaultyInstance[]> {
    return super.reached(name, state, count, SOON_MS) as Promise<FaultyInstance[]>;
  }

  /** The tasks of an array, once all have ended. */
  async endedTasks(name: string): Promise<EndedTask[]> {
    const job = (await this.members(name))[0]!.job_id;
    return soon(`the end of the tasks of ${name}`, async () => {
      const tasks = await this.tasks(job);
      const ended = tasks.every(({ state }) => ['completed', 'failed', 'cancelled', 'skipped'].includes(state));
      return ended ? tasks : undefined;
    });
  }

  async tasks(job: number): Promise<EndedTask[]> {
    const tasks = await this.json<EndedTask[]>('tasks', `${job}`);
    return tasks.toSorted((a, b) => a.index - b.index);
  }

  /** The process that serves all instances. */
  agent(otherThan?: ProcessIdentity): Promise<ProcessIdentity> {
    return soon('an agent', () => this.agentNow(otherThan));
  }

  /** Another process that does as this agent, beside it. */
  startAgentLike({ pid }: ProcessIdentity): ChildProcess {
    const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const log = openSync(this.files.agentLog, 'a');
    const as = this.uid === undefined ? {} : { uid: this.uid, gid: this.uid };
    try {
      return spawn(program!, args, { env: this.env, cwd: '/', stdio: ['ignore', log, log], ...as });
    } finally {
      closeSync(log);
    }
  }

  agentNow(otherThan?: ProcessIdentity): ProcessIdentity | undefined {
    const found = readLiveRecord(this.files.agentPlace);
    return found?.pid === otherThan?.pid ? undefined : found;
  }

  /** Kills the agent, and gives what it was. */
  async killAgent(): Promise<ProcessIdentity> {
    const agent = await this.agent();
    process.kill(agent.pid, 'SIGKILL');
    return agent;
  }

  /** Kills the coordinator and whoever would start it again, and gives them once they are dead. */
  async killCoordinator(): Promise<void> {
    const [keeper, server] = [await this.keeper(), await this.server()];
    process.kill(keeper.pid, 'SIGKILL');
    process.kill(server.pid, 'SIGKILL');
    await soon('the end of the coordinator', () => !isAlive(keeper) && !isAlive(server));
  }

  directory(id: string): string {
    return join(this.files.machinesDir, id);
  }

  /** Directories of instances. */
  directories(): string[] {
    const { machinesDir } = this.files;
    return existsSync(machinesDir) ? readdirSync(machinesDir).filter((name) => name.startsWith('i-')) : [];
  }

  /** The first process of an instance; undefined while there is none. */
  init(id: string): ProcessIdentity | undefined {
    const init = readInit(this.directory(id));
    return init !== undefined && isAlive(init) ? init : undefined;
  }

  forkerOf(init: ProcessIdentity): ProcessIdentity {
    return childrenOf(init.pid).find(({ pid }) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === '.forker')!;
  }

  /** Lines of the agents' log that say so. */
  agentSaid(words: string | RegExp): string[] {
    const says = (line: string) => (typeof words === 'string' ? line.includes(words) : words.test(line));
    return linesOf(this.files.agentLog).filter(says);
  }

  serverSaid(words: string): string[] {
    return linesOf(this.files.serverLog).filter((line) => line.includes(words));
  }

  /** Where the coordinator answers DNS. */
  dnsServer(): { readonly address: string; readonly port: number } | undefined {
    const said = this.serverSaid('"answering DNS"').at(-1);
    return said === undefined ? undefined : (JSON.parse(said) as { address: string; port: number });
  }

  /** What dig says of a name: its addresses in order. */
  dig(name: string, ...more: readonly string[]): string[] {
    const { address, port } = this.dnsServer()!;
    const args = [`@${address}`, '-p', `${port}`, '+short', '+tries=3', ...more, name];
    return execFileSync('dig', args, { encoding: 'utf8' }).trim().split('\n').filter(Boolean).toSorted();
  }

  async resolve(name: string): Promise<string[]> {
    const server = this.dnsServer();
    if (server === undefined) return [];
    const resolver = new Resolver();
    resolver.setServers([`${server.address}:${server.port}`]);
    return resolver.resolve4(name).catch(() => []);
  }

  /** Processes that live in the file systems of an instance, also in parts of them. */
  inside(ids: readonly string[]): number[] {
    return pids().filter((pid) => {
      const mounts = readProc(pid, 'mountinfo');
      return ids.some((id) => mounts.includes(id));
    });
  }

  /** Every instance there was, as rows and directories. */
  async everyId(): Promise<string[]> {
    const rows = await this.list('--state', 'all');
    return [...new Set([...rows.map(({ instance_id: id }) => id), ...this.directories()])];
  }

  /** Fails when anything of any instance is left: a process, a mount, a directory, a control group, a name. */
  async nothingIsLeft(): Promise<void> {
    const rows = (await this.list('--state', 'all')) as FaultyInstance[];
    const alive = rows.filter(({ state }) => state !== 'terminated').map(({ name, state }) => `${name} ${state}`);
    if (alive.length > 0) throw new Error(`not terminated: ${alive.join(', ')}`);
    const ids = await this.everyId();
    await soon('no directory of an instance', () => this.directories().length === 0);
    await soon('no process and no mount of an instance', () => this.inside(ids).length === 0);
    await soon('no control group of an instance', () => groupsOf(ids).length === 0);
    for (const name of new Set(rows.flatMap((row) => [nameOf(row), groupNameOf(row)]))) {
      await soon(`no name ${name}`, async () => (await this.resolve(name)).length === 0);
    }
  }

  /** As `close`, for a data directory on a disk of its own. */
  async closeOn(unmount: () => void): Promise<void> {
    await this.#endAll();
    await this.ok('server', 'stop');
    await soon('the end of every process', () => this.processes().length === 0);
    unmount();
    rmSync(this.folder, { recursive: true, force: true });
  }

  override async close(): Promise<void> {
    await this.#endAll();
    await super.close();
  }

  async #endAll(): Promise<void> {
    const left = (await this.list('--state', 'all')).filter(({ state }) => state !== 'terminated');
    for (const id of new Set(left.map(({ job_array_id: array }) => array))) {
      await this.ok('terminate', '--job-array-id', id, '-y');
    }
    await soon('the end of every instance', async () =>
      (await this.list('--state', 'all')).every(({ state }) => state === 'terminated'),
    );
    await this.nothingIsLeft();
  }
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

function pids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function groupsOf(ids: readonly string[]): string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  const listed = execFileSync('find', [root, '-name', 'spawn-instance-*'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return listed.split('\n').filter((path) => ids.some((id) => path.endsWith(id)));
}
