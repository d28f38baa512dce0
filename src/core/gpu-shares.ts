/** A whole device, in the shares that amounts are counted in. */
export const WHOLE_DEVICE = 10_000;

/**
 * Which tasks use which GPUs of one machine: the rule by which the coordinator counts and the worker chooses. A task takes whole
 * devices that nobody else uses, or one share (below a whole device) of a single device. A share goes to the device with the least left
 * that still takes it, so that whole devices stay free; of equals, as of free ones, the lowest number is next.
 */
export class GpuShares {
  /** Ten-thousandths in use of each device. */
  readonly used: Int32Array;

  constructor(devices: number) {
    this.used = new Int32Array(devices);
  }

  get devices(): number {
    return this.used.length;
  }

  /** Devices that nobody uses any of. */
  get idle(): number {
    let idle = 0;
    for (const used of this.used) if (used === 0) idle++;
    return idle;
  }

  /** Ten-thousandths that are free, of all devices together. */
  get free(): number {
    let free = 0;
    for (const used of this.used) free += WHOLE_DEVICE - used;
    return free;
  }

  /** How many tasks that need so much each find their place. `shares` is not 0. */
  fits(shares: number): number {
    if (shares >= WHOLE_DEVICE) return Math.floor(this.idle / (shares / WHOLE_DEVICE));
    let fits = 0;
    for (const used of this.used) fits += Math.floor((WHOLE_DEVICE - used) / shares);
    return fits;
  }

  /**
   * Takes what one task needs; gives the numbers of its devices.
   *
   * @throws RangeError when it does not fit
   */
  take(shares: number): number[] {
    if (shares >= WHOLE_DEVICE) {
      const idle = [...this.used.keys()].filter((device) => this.used[device] === 0);
      const taken = idle.slice(0, shares / WHOLE_DEVICE);
      if (taken.length < shares / WHOLE_DEVICE) throw new RangeError(`${shares} shares of ${idle.length} idle devices`);
      for (const device of taken) this.used[device] = WHOLE_DEVICE;
      return taken;
    }
    let fullest = -1;
    for (const [device, used] of this.used.entries()) {
      if (used + shares > WHOLE_DEVICE) continue;
      if (fullest < 0 || used > this.used[fullest]!) fullest = device;
    }
    if (fullest < 0) throw new RangeError(`${shares} shares of a device, and no device has so much left`);
    return this.put([fullest], shares);
  }

  /** Takes devices that were chosen before, by this rule. */
  put(devices: readonly number[], shares: number): number[] {
    for (const device of devices) this.used[device]! += Math.min(shares, WHOLE_DEVICE);
    return [...devices];
  }

  /** Gives back what `take` took. */
  give(devices: readonly number[], shares: number): void {
    for (const device of devices) this.used[device]! -= Math.min(shares, WHOLE_DEVICE);
  }
}
