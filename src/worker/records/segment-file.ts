import { closeSync, constants, fdatasync, fstatSync, mkdirSync, openSync, write } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { segmentFileName } from '../../core/log-record.ts';

const writeAt = promisify(write);
const syncData = promisify(fdatasync);
/** Tasks run as the same user and may put anything there. */
const SAFE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A segment file that one writer fills: bytes wait in memory until they are written, at places that never change. */
export class SegmentFile {
  readonly path: string;
  readonly sequence: number;
  #fd: number | undefined;
  /** Bytes on disk; what waits goes behind them. */
  #written = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Written and not synced, or its name is not. */
  #isDirty = true;
  #isNamed = false;

  private constructor(path: string, sequence: number, fd: number) {
    this.path = path;
    this.sequence = sequence;
    this.#fd = fd;
  }

  /** Makes the first file of this tag from `sequence` on that is not there; throws what the system says. */
  static make(folder: string, tag: string, sequence: number): SegmentFile {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let next = sequence; ; next++) {
      const path = join(folder, segmentFileName(tag, next));
      try {
        return new SegmentFile(path, next, openSync(path, SAFE | constants.O_CREAT | constants.O_EXCL, 0o600));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** Where the next byte goes. */
  get end(): number {
    return this.#written + this.#waitingBytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  get isIdle(): boolean {
    return this.#waitingBytes === 0 && !this.#isDirty;
  }

  /** @param bytes not to be changed any more */
  append(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    this.#isDirty = true;
  }

  /** Whether more can be added: what was written is still there. */
  reopen(): boolean {
    if (this.#fd !== undefined) return true;
    try {
      const fd = openSync(this.path, SAFE);
      if (fstatSync(fd).size >= this.#written) this.#fd = fd;
      else closeSync(fd);
    } catch {
      return false;
    }
    return this.#fd !== undefined;
  }

  /**
   * Everything that was appended before is in the file when it resolves. One at a time; may be repeated when it rejects.
   * @param isDurable and survives a loss of power
   */
  async sync(isDurable: boolean): Promise<void> {
    while (this.#waitingBytes > 0) await this.#write();
    if (!isDurable) this.#isDirty = false;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await syncData(this.#fd!);
      if (!this.#isNamed) {
        await syncFolder(dirname(this.path));
        await syncFolder(dirname(dirname(this.path)));
      }
      this.#isNamed = true;
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** One piece of what waits; what a full disk did not take is written to the same place later. */
  async #write(): Promise<void> {
    const bytes = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [bytes];
    const { bytesWritten } = await writeAt(this.#fd!, bytes, 0, bytes.byteLength, this.#written);
    this.#written += bytesWritten;
    this.#waitingBytes -= bytesWritten;
    // Others may have been appended meanwhile.
    const rest = bytes.subarray(bytesWritten);
    this.#waiting = [...(rest.byteLength > 0 ? [rest] : []), ...this.#waiting.slice(1)];
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
