import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runningInstance as running, WAITS } from '../../../test/support/agent-on-script.ts';
import { until } from '../../../test/support/until.ts';
import { SpawnError } from '../../core/errors.ts';

const AWAY = new SpawnError('SERVER_UNREACHABLE', { address: 'there', why: 'away' });
/** In which a server must be away. */
const AT_ONCE_MS = 10;

test('an agent of which nothing runs ends without a server; what it could not tell is told by the next one', async () => {
  const { world, fence } = await running({ onComplete: 'terminate' }, WAITS, {}, AT_ONCE_MS);
  const untold = join(world.folder, 'untold');
  world.coordinator.failure = AWAY;
  world.touch('go');
  await until('its end', () => world.box.done.includes('terminate'));
  expect(await world.done).toBe('idle');
  expect(readdirSync(untold)).toEqual([`${world.box.order.id}.json`]);
  expect(world.coordinator.endOf(fence)).toBeUndefined();
  world.coordinator.failure = undefined;
  world.isEmpty = true;
  world.start();
  expect(await world.outcome(fence)).toBe(0);
  await until('bye', () => world.coordinator.byes.length === 1);
  expect(world.report).toMatchObject({ state: 'terminated', reason: 'completed' });
  await until('nothing to be left to say', () => readdirSync(untold).length === 0);
  expect(world.coordinator.hellos.at(-1)?.bound).toEqual({ resume: world.coordinator.sessionId });
});

test('an agent goes on without a server while something runs', async () => {
  const { world, fence } = await running({}, WAITS, {}, AT_ONCE_MS);
  world.coordinator.failure = AWAY;
  world.touch('go');
  await until('its end', () => world.read('ran').endsWith('end\n'));
  world.coordinator.failure = undefined;
  expect(await world.outcome(fence)).toBe(0);
  expect(world.agent!.instances.size).toBe(1);
});
