import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestClock } from '../../../test/support/agent-on-script.ts';
import { FakeBox, fakeOrder } from '../../../test/support/fake-machine.ts';
import { ManyCoordinators } from '../../../test/support/many-coordinators.ts';
import { until } from '../../../test/support/until.ts';
import { InstanceAgent } from './instance-agent.ts';

const COUNT = 200;
/** Ten minutes of ticks. */
const TICKS = 600;

test(`${COUNT} instances in one agent: few writes, few readings, peers asked for once`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-many-'));
  const client = new ManyCoordinators(folder);
  const clock = new TestClock();
  const boxes = Array.from({ length: COUNT }, (_, index) => {
    const id = `i-${index.toString(16).padStart(17, '0')}`;
    return new FakeBox(
      fakeOrder({ id, name: `compute-${index}`, index, rank: index, idleTimeoutMs: 1_800_000 }),
      false,
    );
  });
  const heapBefore = process.memoryUsage().rss;
  const agent = new InstanceAgent({
    client,
    machines: {
      serve: async ({ onUp }) => {
        for (const box of boxes) onUp(box.machine());
      },
      close: async () => {},
    },
    dataDir: join(folder, 'data'),
    untoldDir: join(folder, 'untold'),
    host: 'here',
    version: '0',
    clock,
    isServerThere: async () => true,
    log: () => {},
  });
  const done = agent.run();
  await until(
    'all sessions',
    () => client.all.size === COUNT && [...client.all.values()].every(({ streams }) => streams === 1),
  );
  const members = boxes.map(({ order: { id, index, rank, name, address, dns } }) => {
    return { id, index, rank, name, ip: address, privateIp: address, dns };
  });
  for (const coordinator of client.all.values()) {
    coordinator.peersReply = { version: 1, members };
    const directive = {
      version: 1,
      wanted: 'running' as const,
      ttlLeftMs: 3_600_000,
      size: COUNT,
      peers: 1,
      done: false,
    };
    coordinator.send({ type: 'instance', directive });
  }
  await until('all peers', () => boxes.every(({ files }) => files.has('job-array-peers.json')));
  expect([...client.all.values()].reduce((sum, { peersAsked }) => sum + peersAsked, 0)).toBe(1);
  const [writesBefore, readingsBefore] = [sum(boxes, 'memoryWrites'), sum(boxes, 'activityCalls')];
  const cpuBefore = process.cpuUsage();
  for (let tick = 0; tick < TICKS; tick++) {
    clock.jump(1_000);
    for (const instance of agent.instances.values()) instance.tick(clock.bootMs());
    // Readings are answered in a later turn.
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const writes = sum(boxes, 'memoryWrites') - writesBefore;
  const readings = sum(boxes, 'activityCalls') - readingsBefore;
  const percent = ((user + system) / 1_000 / (TICKS * 1_000)) * 100;
  const megabytes = (process.memoryUsage().rss - heapBefore) / 2 ** 20;
  console.log(
    `${COUNT} instances: ${percent.toFixed(2)} % of a CPU for their ticks, ${(megabytes / COUNT).toFixed(2)} MB each, ` +
      `${(writes / COUNT).toFixed(1)} writes and ${(readings / COUNT).toFixed(1)} readings each in ${TICKS / 60} minutes`,
  );
  // Every 30 s, and one more for where it began.
  expect(readings).toBeGreaterThan((TICKS / 30 - 2) * COUNT);
  expect(readings).toBeLessThanOrEqual((TICKS / 30 + 1) * COUNT);
  expect(writes).toBeLessThanOrEqual(5 * COUNT);
  agent.release();
  await done;
  rmSync(folder, { recursive: true, force: true });
});

function sum(boxes: readonly FakeBox[], what: 'memoryWrites' | 'activityCalls'): number {
  return boxes.reduce((total, box) => total + box[what], 0);
}
