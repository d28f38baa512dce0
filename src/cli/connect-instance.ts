import type { InstanceView } from '../api/instance.ts';
import { isDnsLabel } from '../core/dns-label.ts';
import { SpawnError } from '../core/errors.ts';
import type { Client } from './client.ts';
import { findMembers } from './instances/targets.ts';
import type { World } from './world.ts';

const LOOK_MS = 200;

export interface Wanted {
  /** Name or id. */
  readonly ref: string;
  /** Whether one that was stopped or hibernated is started. */
  readonly start: boolean;
  /** How long it may take until it runs, ms. */
  readonly withinMs: number;
}

/** The instance that was named, once it runs. */
export async function runningInstance(client: Client, world: World, wanted: Wanted): Promise<InstanceView> {
  const { ref } = wanted;
  if (!isDnsLabel(ref) || /^\d+$/.test(ref)) {
    const expected = 'the name or id of an instance, as compute-3';
    throw new SpawnError('BAD_REQUEST', { where: 'connect', expected, found: ref });
  }
  let instance = await latest(client, ref);
  const until = world.now() + wanted.withinMs;
  let asked = false;
  while (instance.state !== 'running') {
    checkCanRun(instance, wanted);
    if (!asked && isAtRest(instance)) {
      world.stderr.write(`starting ${instance.name}, which is ${instance.state}\n`);
      await client.instanceVerb('start', { target: { instance: instance.id } });
      asked = true;
    }
    if (world.now() >= until) {
      const found = `${instance.state} after ${Math.round(wanted.withinMs / 1_000)} s`;
      throw new SpawnError('CONFLICT', { what: `instance ${ref}`, expected: 'it to run', found });
    }
    await world.pause(LOOK_MS, AbortSignal.timeout(wanted.withinMs));
    instance = await latest(client, instance.id);
  }
  return instance;
}

/** Of machines that had a name one after the other, the one that has it now, else the last. */
async function latest(client: Client, ref: string): Promise<InstanceView> {
  const { members } = await findMembers(client, { instance: ref });
  const live = members.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down');
  const found = (live.length > 0 ? live : members).toSorted((a, b) => b.createdAt - a.createdAt);
  const [first, second] = found;
  if (second !== undefined && live.length > 1) {
    const found = `${live.map(({ id }) => id).join(', ')}; use the id`;
    throw new SpawnError('CONFLICT', { what: `instance ${ref}`, expected: 'one that lives', found });
  }
  return first!;
}

function isAtRest({ state }: InstanceView): boolean {
  return state === 'stopped' || state === 'hibernated';
}

function checkCanRun(instance: InstanceView, { ref, start }: Wanted): void {
  const what = `instance ${ref}`;
  if (instance.state === 'terminated' || instance.state === 'shutting-down') {
    const why = instance.reason === undefined ? '' : ` (${instance.reason})`;
    const see = `; what it wrote: spawn logs ${ref}`;
    throw new SpawnError('CONFLICT', {
      what,
      expected: 'one that runs or can be started',
      found: instance.state + why + see,
    });
  }
  if (start || !isAtRest(instance)) return;
  const found = `${instance.state}; without --no-start it is started`;
  throw new SpawnError('CONFLICT', { what, expected: 'one that runs', found });
}
