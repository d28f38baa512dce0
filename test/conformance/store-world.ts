import type { Store } from '../../src/store/store.ts';

/** One store's durable memory, which can be opened again and again. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  dispose(): Promise<void>;
}

/** What each test finds: an open store on a memory that was empty before it. */
export interface StoreWorld {
  memory: StoreUnderTest;
  store: Store;
}

/** What is read after this was on the disk. */
export async function reopen(world: StoreWorld): Promise<void> {
  await world.store.close();
  world.store = await world.memory.open();
}

export function counters(nextJob: number) {
  return { nextJob, nextRaw: 1_000_000_000 + nextJob * 10, nextFence: 2 ** 40 + nextJob, nextSession: nextJob };
}
