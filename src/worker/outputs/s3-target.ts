import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { S3Access } from '../../api/data.ts';
import { openS3 } from '../../objects/s3/open-s3.ts';
import type { S3 } from '../../objects/s3/s3.ts';
import { parseS3Uri } from '../../objects/s3/s3-uri.ts';
import type { OutputTarget } from './staged-output.ts';

const READ_BYTES = 1024 * 1024;

type Variables = Readonly<Record<string, string | undefined>>;

/** A prefix of S3: each object is there with all its bytes, or not at all. */
export class S3Target implements OutputTarget {
  readonly stage: string;
  readonly #to: string;
  readonly #access: S3Access;
  readonly #env: Variables;
  #s3: Promise<S3> | undefined;

  /**
   * @param env for secrets by reference
   * @param stage on this machine
   */
  constructor(to: string, access: S3Access, env: Variables, stage: string) {
    this.#to = to;
    this.#access = access;
    this.#env = env;
    this.stage = stage;
  }

  /** The storage has no directories. */
  prepare(): void {}

  async publish(name: string, path: string): Promise<{ readonly size: number; readonly sha256: string }> {
    this.#s3 ??= openS3(this.#access, { where: 'output.s3', env: this.#env });
    const s3 = await this.#s3;
    const { bucket, key } = parseS3Uri(this.#to, 'output.to');
    const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
    const { size: expected } = await stat(path);
    const body = createReadStream(path, { highWaterMark: READ_BYTES });
    const { size, sha256 } = await s3.put({ bucket, key: `${prefix}${name}` }, body, { size: expected });
    return { size, sha256 };
  }

  async finish(): Promise<void> {}

  async clear(): Promise<void> {
    const s3 = await this.#s3?.catch(() => undefined);
    s3?.close();
    this.#s3 = undefined;
    await rm(this.stage, { recursive: true, force: true }).catch(() => undefined);
  }
}
