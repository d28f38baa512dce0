import type { SharedFile } from '../../providers/provider.ts';
import type { RunRequest } from '../forker/types.ts';
import { instanceVariables, shownOf, sizesNow } from './instance-environment.ts';
import { environmentText, hostsText, instanceText, ownHostsText, profileText, resolvText } from './instance-files.ts';
import { interruptionOf, statusOf } from './instance-status.ts';
import type { ServedInstance } from './served-instance.ts';

/** Between two tries to get the peers. */
const AGAIN_MS = 1_000;
/** A status that changes by time alone is as old as this, while somebody could read it with the agent away. */
const STATUS_EVERY_MS = 60_000;
/** Changes come in crowds. */
const STATUS_PAUSE_MS = 200;
/** From what is known of a job to the file for logins, when no task starts meanwhile. */
const ENVIRONMENT_PAUSE_MS = 50;
/** The file about an interruption whose time differs by no more than this is left as it is. */
const SAME_TIME_MS = 2_000;
const BLOB_HASH = /^[0-9a-f]{64}$/;

function sameForAll(text: string): SharedFile {
  return { key: text, text: () => text };
}

/** What is in /etc/spawn of one instance. */
export class InstanceFolder {
  readonly #instance: ServedInstance;
  readonly #ready = Promise.withResolvers<void>();
  /** Of its job and of the task that was started last: also for logins. */
  #shownOfJob: ReadonlyMap<string, string> = new Map();
  #shown: ReadonlyMap<string, string> = new Map();
  #environment = '';
  #environmentSoon: NodeJS.Timeout | undefined;
  #size = 0;
  #fetching = false;
  #peersAtMs = 0;
  #statusAtMs = Number.POSITIVE_INFINITY;
  #userDataIsThere = false;
  #interruptAtMs: number | undefined;

  constructor(instance: ServedInstance) {
    this.#instance = instance;
    this.#ready.promise.catch(() => {});
  }

  /** All but the peers and the user-data, which need the coordinator. */
  async prepare(): Promise<void> {
    const { machine, life, place } = this.#instance;
    const { order } = machine;
    this.#size = life.size;
    this.#environment = this.#environmentText();
    const files = {
      'instance.json': instanceText(order, life.size),
      environment: this.#environment,
      'job-array.sh': sameForAll(profileText(machine.places)),
      hostname: `${order.name}\n`,
      'resolv.conf': resolvText(order, place.resolvConf),
      // Of an agent before: the members are still the same, until a directive says otherwise.
      ...(machine.adopted
        ? {}
        : {
            hosts: ownHostsText(order),
            'job-array-peers.json': null,
            hostfile: null,
            'interruption.json': null,
          }),
    };
    try {
      await machine.write(files);
    } catch (error) {
      if (!machine.adopted) throw error;
      // Those of the agent before are there: a full disk must end nothing that runs.
      this.#environment = '';
      this.#instance.log(`its files stay as they are: ${(error as Error).message}`);
    }
    // For who asks while the agent is away: until then it is a moment old at most.
    this.statusChanged();
    this.#ready.resolve();
  }

  /** Resolves when all is in place that a task may look at; gives what its environment has besides. */
  async beforeRun(request: RunRequest): Promise<readonly string[]> {
    clearTimeout(this.#environmentSoon);
    await this.#ready.promise;
    await this.#writeUserData();
    this.#shown = shownOf(request.env ?? []);
    await this.#writeEnvironment();
    return [...this.#sizes()].map(([name, value]) => `${name}=${value}`);
  }

  #sizes(): Map<string, string> {
    const { life, machine } = this.#instance;
    return sizesNow(machine.order, life.size, life.directive?.maxIndex);
  }

  jobIsKnown(env: readonly string[]): void {
    this.#shownOfJob = shownOf(env);
    // As a rule its task starts in the same moment, and writes the same and more.
    clearTimeout(this.#environmentSoon);
    this.#environmentSoon = setTimeout(() => {
      this.#ready.promise.then(() => this.#writeEnvironment()).catch(() => {});
    }, ENVIRONMENT_PAUSE_MS).unref();
  }

  directiveTaken(): void {
    const { life, machine } = this.#instance;
    if (life.size !== this.#size) {
      this.#size = life.size;
      const text = instanceText(machine.order, life.size);
      void this.#write({ 'instance.json': text }).then(() => this.#writeEnvironment());
    }
    this.#writeInterruption();
    this.#peersAtMs = 0;
    this.#fetchPeers();
  }

  /** Before anything is done about it: its pre-stop command and what gets TERM find it. */
  #writeInterruption(): void {
    const { life, place } = this.#instance;
    const { interruptInMs } = life;
    const atMs = interruptInMs === undefined ? undefined : place.clock.bootMs() + interruptInMs;
    const last = this.#interruptAtMs;
    if (atMs === last || (atMs !== undefined && last !== undefined && Math.abs(atMs - last) < SAME_TIME_MS)) return;
    this.#interruptAtMs = atMs;
    const notice = interruptionOf(life, place.clock);
    void this.#write({ 'interruption.json': notice === null ? null : `${JSON.stringify(notice)}\n` });
  }

  statusChanged(): void {
    const now = this.#instance.place.clock.bootMs();
    this.#statusAtMs = Math.min(this.#statusAtMs, now + STATUS_PAUSE_MS);
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#peersAtMs) this.#fetchPeers();
    if (nowMs < this.#statusAtMs) return;
    this.#statusAtMs = nowMs + STATUS_EVERY_MS;
    void this.#write({ 'status.json': this.#statusText() });
  }

  /** Everything anew; gives the names of what became different. */
  async reload(): Promise<string[]> {
    const before = this.#environment;
    await this.#writeEnvironment();
    await this.#writePeers();
    return before === this.#environment ? [] : ['environment'];
  }

  #fetchPeers(): void {
    const { life, sessions, place } = this.#instance;
    const wanted = life.directive?.peers ?? 0;
    if (this.#fetching || wanted <= life.peers || sessions.open === undefined) return;
    this.#fetching = true;
    this.#peersAtMs = place.clock.bootMs() + AGAIN_MS;
    this.#writePeers()
      .catch((error: Error) => this.#instance.log(`no peers yet: ${error.message}; trying again`))
      .finally(() => {
        this.#fetching = false;
        // Another version may have come meanwhile.
        if (life.peers >= wanted && (life.directive?.peers ?? 0) > life.peers) this.#fetchPeers();
      });
  }

  async #writePeers(): Promise<void> {
    const { machine, life, sessions, place } = this.#instance;
    const version = life.directive?.peers ?? 0;
    const { open } = sessions;
    if (version === 0 || open === undefined) return;
    const { order } = machine;
    const files = await place.peers.get(machine, version, open.id);
    const hosts: string | SharedFile = files.ids.has(order.id)
      ? files.hosts
      : `${ownHostsText(order)}${hostsText(order, [])}`;
    // The peers last: who waits for them finds all the rest.
    // One that is alone keeps the one it has: with what its user has added.
    const isAlone = order.standalone && files.ids.size <= 1;
    await machine.write({ ...(isAlone ? {} : { hosts }), hostfile: files.hostfile });
    await machine.write({ 'job-array-peers.json': files.peers });
    life.peers = files.version;
  }

  async #writeUserData(): Promise<void> {
    const { machine, place } = this.#instance;
    const { userData } = machine.order;
    if (userData === undefined || this.#userDataIsThere) return;
    const text = BLOB_HASH.test(userData) ? await place.userData(userData) : userData;
    await machine.write({ 'user-data': text });
    this.#userDataIsThere = true;
  }

  async #writeEnvironment(): Promise<void> {
    const text = this.#environmentText();
    if (text === this.#environment) return;
    this.#environment = text;
    await this.#write({ environment: text });
  }

  #environmentText(): string {
    const { machine, life } = this.#instance;
    const own = instanceVariables(machine, life.size);
    return environmentText(new Map([...this.#shownOfJob, ...this.#shown, ...own, ...this.#sizes()]));
  }

  #statusText(): string {
    return `${JSON.stringify(statusOf(this.#instance))}\n`;
  }

  async #write(files: Readonly<Record<string, string | null>>): Promise<void> {
    if (this.#instance.isGone) return;
    await this.#instance.machine
      .write(files)
      .catch((error: Error) => this.#instance.log(`cannot write ${Object.keys(files).join()}: ${error.message}`));
  }
}
