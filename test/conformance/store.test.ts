import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import { MemoryDisk, openMemoryStore } from '../support/memory-store.ts';
import { describeStore } from './store.ts';

describeStore('memory', async () => {
  const disk = new MemoryDisk();
  return { open: async () => openMemoryStore(disk), dispose: async () => {} };
});

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spawn-store-'));
  return {
    open: () => openSqliteStore({ path: join(folder, 'store.db') }),
    dispose: () => rm(folder, { recursive: true }),
  };
});
