import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OwnCoordinator } from './own-coordinator.ts';
import { until } from './until.ts';

const fixtures = fileURLToPath(new URL('../fixtures/instances', import.meta.url));

/** An object of `spawn list -o json`. */
export interface ListedInstance {
  readonly instance_id: string;
  readonly name: string;
  readonly state: string;
  readonly private_ip: string | null;
  readonly public_ip: string | null;
  readonly job_array_id: string;
  readonly job_array_name: string;
  readonly job_array_index: number;
  readonly job_array_size: number;
  readonly ttl_remaining_seconds: number | null;
  readonly tags: Record<string, string>;
}

/** A user of instances: `folder` holds the scripts of test/fixtures/instances, and is where launches are made. */
export class OwnInstances extends OwnCoordinator {
  /** The buckets behind `aws s3 cp` of the fixtures. */
  readonly buckets: string;

  constructor(uid?: number, name?: string) {
    super(uid, name);
    cpSync(fixtures, this.folder, { recursive: true });
    this.buckets = join(this.folder, 'buckets');
    mkdirSync(this.buckets);
  }

  /** `--env` options that make `aws` of the fixtures the one that scripts find. */
  get aws(): string[] {
    return ['--env', `PATH=${this.folder}:/usr/local/bin:/usr/bin:/bin`, '--env', `BUCKETS=${this.buckets}`];
  }

  /** Launches and waits for the end of all tasks; gives the exit code and what was printed. */
  launched(...args: readonly string[]) {
    return this.run(['launch', ...args, '--wait']);
  }

  list(...args: readonly string[]): Promise<ListedInstance[]> {
    return this.json<ListedInstance[]>('list', ...args);
  }

  /** Waits until so many instances of an array are in a state. */
  reached(name: string, state: string, count: number, timeoutMs = 60_000): Promise<ListedInstance[]> {
    return until(
      `${count} instances of ${name} ${state}`,
      async () => {
        const found = await this.list('--job-array-name', name, '--state', state);
        return found.length === count ? found : undefined;
      },
      timeoutMs,
    );
  }

  text(...path: string[]): string {
    return readFileSync(join(this.folder, ...path), 'utf8');
  }

  read<T>(...path: string[]): T {
    return JSON.parse(this.text(...path)) as T;
  }

  /** Ends every instance first. */
  override async close(): Promise<void> {
    const left = (await this.list('--state', 'all')).filter(({ state }) => state !== 'terminated');
    const arrays = new Set(left.map(({ job_array_id: id }) => id));
    for (const id of arrays) await this.ok('terminate', '--job-array-id', id, '-y');
    await until('the end of every instance', async () =>
      (await this.list('--state', 'all')).every(({ state }) => state === 'terminated'),
    );
    await super.close();
  }
}
