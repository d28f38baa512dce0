import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { hasProgram } from './require.ts';

/** Whether this machine can play several hosts: network namespaces, for root alone, each joined to the first one by a cable of its own. */
export function canHaveHosts(): boolean {
  if (process.getuid?.() !== 0 || !['ip', 'unshare', 'hostname'].every(hasProgram)) return false;
  const probe = `spawn-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'delete', probe);
    return true;
  } catch {
    return false;
  }
}

let made = 0;

/** A head and hosts around it: what happens to one's cable does not touch the others. */
export class NetworkHosts {
  readonly #prefix = `spawn-${process.pid}-${made++}`;
  readonly #hosts: readonly string[];

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
    this.#add('head');
    try {
      hosts.forEach((host, at) => {
        this.#add(host);
        const [near, far] = [this.#name('head'), this.#name(host)];
        ip('-n', near, 'link', 'add', `to-${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far);
        ip('-n', near, 'address', 'add', `10.213.${at}.1/24`, 'dev', `to-${host}`);
        ip('-n', far, 'address', 'add', `10.213.${at}.2/24`, 'dev', 'eth0');
        this.mend(host);
        ip('-n', far, 'link', 'set', 'eth0', 'up');
      });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Of the head, as this host sees it. */
  headAddress(host: string): string {
    return `10.213.${this.#hosts.indexOf(host)}.1`;
  }

  /** Starts a program on a host, which it takes for a machine of this name. */
  start(host: string, argv: readonly string[], options: SpawnOptions): ChildProcess {
    const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', host, ...argv];
    return spawn('ip', ['netns', 'exec', this.#name(host), ...named], options);
  }

  /** Pulls the plug of its cable. */
  cut(host: string): void {
    ip('-n', this.#name('head'), 'link', 'set', `to-${host}`, 'down');
  }

  mend(host: string): void {
    ip('-n', this.#name('head'), 'link', 'set', `to-${host}`, 'up');
  }

  /** What goes `to` the host, or comes `from` it, is lost silently; the other direction works. */
  halve(host: string, lost: 'to' | 'from'): void {
    const at = this.#hosts.indexOf(host);
    const [on, peer, dev] = lost === 'from' ? [host, 1, 'eth0'] : ['head', 2, `to-${host}`];
    // A neighbour with an address of no machine.
    const wrong = ['lladdr', '02:00:00:00:00:77', 'nud', 'permanent'];
    ip('-n', this.#name(on), 'neigh', 'replace', `10.213.${at}.${peer}`, 'dev', dev, ...wrong);
  }

  /** Every process there. */
  pids(host: string): number[] {
    const pids = ip('netns', 'pids', this.#name(host)).split('\n').filter(Boolean).map(Number);
    return pids.filter((pid) => pid !== process.pid);
  }

  /** Power off: nothing can say goodbye. */
  kill(host: string): void {
    for (const pid of this.pids(host)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }

  close(): void {
    for (const host of [...this.#hosts, 'head']) {
      try {
        this.kill(host);
        ip('netns', 'delete', this.#name(host));
      } catch {
        // It was never made.
      }
    }
  }

  #add(host: string): void {
    ip('netns', 'add', this.#name(host));
    ip('-n', this.#name(host), 'link', 'set', 'lo', 'up');
  }

  #name(host: string): string {
    return `${this.#prefix}-${host}`;
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
