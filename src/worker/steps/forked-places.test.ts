import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { MemberMessage } from '../../api/gang.ts';
import type { Forker, ForkerOptions, RunRequest } from '../forker/types.ts';
import { ForkedStepPlaces } from './forked-places.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const member = (fence: number): MemberMessage => ({
  ...{ type: 'member', n: 1, fence, rank: 1, job: 4, position: 0, attempt: 1, secret: 'ab'.repeat(32) },
  ...{ cpus: 2, memoryBytes: 0, gpus: 0, whole: false, tasks: 2, nodes: [] },
});

/** A forker whose hosts listen at once; like a real one it tells only the end of what it has run. */
function setUp(failures: Error[] = []) {
  const base = mkdtempSync(join(tmpdir(), 'places-'));
  folders.push(base);
  const running = new Set<number>();
  const start = (options: ForkerOptions) => {
    const failure = failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    const forker: Partial<Forker> = {
      run: ({ fence }: RunRequest) => {
        running.add(fence);
        writeFileSync(join(base, String(fence), 'port'), '7');
      },
      kill: (fence: number) => {
        if (running.delete(fence)) options.callbacks.onEnded({ fence } as never);
      },
      setEnv: () => {},
      close: () => Promise.resolve() as never,
    };
    return Promise.resolve(forker as Forker);
  };
  const places = new ForkedStepPlaces({
    ...{ base, marker: 'm', kind: undefined, gpus: [], bindCpus: false, sameHost: true },
    ...{ address: undefined, serverHost: undefined },
    port: { killLeftovers: () => Promise.resolve() as never, start },
  });
  return { base, places, running };
}

test('a place that could not be prepared is released like any other', async () => {
  const { base, places, running } = setUp();
  expect(await places.admit(member(1), [])).toEqual({ address: '127.0.0.1', port: 7 });
  writeFileSync(join(base, '2'), 'in the way');
  await expect(places.admit(member(2), [])).rejects.toThrow('EEXIST');
  await places.release(2);
  await places.release(1);
  await places.release(3);
  expect([...running]).toEqual([]);
});

test('a forker that did not start once is started for the next place', async () => {
  const { places } = setUp([new Error('too many processes')]);
  await expect(places.admit(member(1), [])).rejects.toThrow('too many processes');
  await places.release(1);
  expect((await places.admit(member(2), [])).port).toBe(7);
  await places.release(2);
  await places.close();
});
