import type { Placement } from '../api/gang.ts';
import type { Resources } from '../api/session.ts';
import { type Needs, needsOf, Room } from '../core/resources.ts';

/** What a share of this worker is made of that was given without a lane's needs. */
export type ShareGiven = Pick<Placement, 'memoryBytes' | 'gpus' | 'whole'> & {
  readonly cpus: number;
  /** Named amounts of the job. */
  readonly resources: Readonly<Record<string, number>>;
};

/** What of this worker's resources is in use: by attempts that run here, and by members of gangs that run elsewhere. */
export class Occupancy {
  /** What there is when nothing runs. */
  readonly idle: Room;
  readonly #room: Room;
  /** Hosts of handlers that have work. */
  hosts = 0;
  readonly #members = new Map<number, { readonly needs: Needs; readonly devices: readonly number[] }>();

  constructor(resources: Resources) {
    this.#room = new Room(resources);
    this.idle = new Room(resources);
  }

  /** A small task could start. */
  get isOpen(): boolean {
    return this.#room.open;
  }

  get members(): number {
    return this.#members.size;
  }

  fits(needs: Needs): boolean {
    return this.#room.fits(needs) >= 1;
  }

  /** What it asks for and this machine has too little of even when it is idle; CPUs and memory aside, which it can do without. */
  shortOf(needs: Needs): string | undefined {
    if (needs.gpuShares === 0 && needs.named.size === 0) return undefined;
    return this.idle.busy({ ...needs, cpus: 0, memoryBytes: 0 })[0];
  }

  /**
   * Gives its devices.
   *
   * @throws RangeError when too few devices are free, before anything is taken
   */
  take(needs: Needs): number[] {
    const devices = needs.gpuShares === 0 ? [] : this.#room.gpus.take(needs.gpuShares);
    this.#room.take(needs, 1);
    return devices;
  }

  /** @param holds whether it had resources of its own: else another has them already */
  give(needs: Needs, devices: readonly number[], holds: boolean): void {
    this.#room.gpus.give(devices, needs.gpuShares);
    if (holds) this.#room.take(needs, -1);
  }

  /** Other things must end before it fits; not so where it never would. */
  mustWait(needs: Needs): boolean {
    return !this.fits(needs) && this.idle.fits(needs) >= 1;
  }

  /** Of what was placed as a whole. */
  needsOf({ whole, resources, ...amounts }: ShareGiven): Needs {
    return whole ? this.idle.whole : needsOf({ ...amounts, resources });
  }

  /** A member of a gang has a share from now on; gives its devices. */
  hold(fence: number, needs: Needs): readonly number[] {
    const before = this.#members.get(fence);
    if (before !== undefined) return before.devices;
    const devices = this.take(needs);
    this.#members.set(fence, { needs, devices });
    return devices;
  }

  /** It has none any more. */
  free(fence: number): void {
    const member = this.#members.get(fence);
    if (member === undefined) return;
    this.#members.delete(fence);
    this.give(member.needs, member.devices, true);
  }
}
