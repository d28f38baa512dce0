import type { Directive } from '../../api/instance-session.ts';
import { costOf } from '../../core/instance-cost.ts';
import type { World } from '../world.ts';
import { ttlLeftOf } from './accounts.ts';
import type { InstanceRow } from './row.ts';

/** Agents look once a second: so much less than its share is an instance told, so that it does not pass it. */
const TICK_MS = 1_000;

/** What an instance is told that it may spend over its whole life, USD. */
export function toldShare(share: number, rate: number): number {
  return Math.max(0, share - costOf(TICK_MS, rate));
}

/** Tells the agent of an instance how it shall be, when that is something else than it was told last. */
export function direct(world: World, row: InstanceRow): void {
  const { memory, now } = world;
  const book = memory.instances;
  const session = memory.bound.get(row.id);
  // Nothing more can be wanted of one that is ending: its own word, said back, would only disturb it.
  if (session === undefined || row.endedAt !== 0 || row.state === 'shutting-down') return;
  const array = book.arrays.get(row.jobId)!;
  const { live, wanted, reason, costShare } = row;
  const asked = `${wanted} ${reason} ${row.ttlMs} ${live.ttlVersion} ${costShare} ${array.size} ${array.last} ${live.done} ${row.interruptAt}`;
  const said = `${asked} ${array.peers}`;
  if (said === live.said) return;
  const isAsked = !live.said.startsWith(`${asked} `);
  live.version = book.nextVersion();
  if (isAsked) live.askedVersion = live.version;
  if (live.ttlVersion === Number.POSITIVE_INFINITY) live.ttlVersion = live.version;
  if (live.wantedVersion === Number.POSITIVE_INFINITY) live.wantedVersion = live.version;
  live.said = said.replace(' Infinity ', ` ${live.ttlVersion} `);
  noteShare(world, row);
  const ttlLeftMs = ttlLeftOf(world, row, array.part.ttlMode);
  const directive: Directive = {
    version: live.version,
    wanted,
    ...(wanted === 'running' || reason === undefined ? {} : { reason }),
    ...(ttlLeftMs === undefined ? {} : { ttlLeftMs: Math.max(0, ttlLeftMs) }),
    ...(costShare === undefined ? {} : { costShare: toldShare(costShare, row.rate) }),
    size: array.size,
    maxIndex: array.plan.member(array.last).index,
    peers: array.peers,
    done: live.done,
    ...(row.interruptAt === 0 ? {} : { interruptInMs: Math.max(0, row.interruptAt - now) }),
  };
  memory.changes.tell(session.session.id).directive = directive;
}

/** The largest share that it may think to have, until it acknowledges: written down before it is told. */
function noteShare(world: World, row: InstanceRow): void {
  row.live.saidShare = row.costShare;
  if (row.costShare === undefined || row.costShare <= (row.heldShare ?? 0)) return;
  row.heldShare = row.costShare;
  world.memory.instances.save(world.memory.changes, row);
}
