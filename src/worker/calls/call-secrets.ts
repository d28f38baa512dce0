import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Prove that who asks is of an attempt of this session: nobody can make one without the key, which never leaves the worker. */
export class CallSecrets {
  readonly #key = randomBytes(32);

  /** 64 hexadecimal digits. */
  of(fence: number): string {
    return this.#digest(fence).toString('hex');
  }

  isOf(fence: number, secret: string): boolean {
    const given = Buffer.from(secret, 'hex');
    const own = this.#digest(fence);
    return timingSafeEqual(own, given.byteLength === own.byteLength ? given : Buffer.alloc(own.byteLength));
  }

  #digest(fence: number): Buffer {
    return createHmac('sha256', this.#key).update(String(fence)).digest();
  }
}
