import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type DataFiles, dataFiles } from './data-files.ts';
import { identify } from './process-identity.ts';
import { type ProcessRecord, writeRecord } from './process-record.ts';
import { keeperReviver } from './revive-keeper.ts';
import type { EmbeddedPlace } from './start-keeper.ts';

let dataDir: string;
let files: DataFiles;
let place: EmbeddedPlace;
let revive: () => void;
const start = vi.fn();
const own: ProcessRecord = { ...identify(process.pid)!, version: '1', socketPath: '' };
const dead: ProcessRecord = { ...own, startTicks: own.startTicks - 1 };

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'spawn-revive-'));
  place = { dataDir, runtimeDir: dataDir, socketPath: join(dataDir, 's') };
  files = dataFiles(dataDir);
  writeRecord(join(files.instancesDir, 'local-1.json'), own);
  writeRecord(files.keeper, dead);
  writeRecord(files.server, dead);
  start.mockClear();
  revive = keeperReviver(place, 'local-1', start);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('a keeper is started once when keeper and server are dead', () => {
  revive();
  revive();
  expect(start.mock.calls).toEqual([[place]]);
});

test.each(['keeper', 'server'] as const)('none is started while a %s lives', (role) => {
  writeRecord(files[role], own);
  revive();
  expect(start).not.toHaveBeenCalled();
});

test.each([
  ['is gone', () => rmSync(files.runDir, { recursive: true })],
  ['is of another process', () => writeRecord(join(files.instancesDir, 'local-1.json'), dead)],
])("none is started when the worker's own record %s", (_, change) => {
  change();
  revive();
  expect(start).not.toHaveBeenCalled();
});
