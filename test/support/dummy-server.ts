// Stands in for the server: answers what those who start and keep it ask. With a file `exit-code` in its data directory it ends with that; with
// a file `wait` it begins when that is gone.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dataFiles } from '../../src/client/node/data-files.ts';
import { packageVersion } from '../../src/client/node/package-files.ts';
import { identify } from '../../src/client/node/process-identity.ts';
import { removeRecord, writeRecord } from '../../src/client/node/process-record.ts';

const { values } = parseArgs({
  options: {
    kept: { type: 'boolean' },
    'data-dir': { type: 'string' },
    'runtime-dir': { type: 'string' },
    socket: { type: 'string' },
  },
});
const dataDir = values['data-dir'] ?? '';
const socketPath = values.socket ?? '';
const files = dataFiles(dataDir);
const exitCode = join(dataDir, 'exit-code');

if (existsSync(exitCode)) {
  writeFileSync(files.failure, '{"code":"STORE_NEWER","message":"the store is newer","details":{}}');
  process.exit(Number(readFileSync(exitCode, 'utf8')));
}

while (existsSync(join(dataDir, 'wait'))) await new Promise((resolve) => setTimeout(resolve, 10));

const own = { ...identify(process.pid)!, version: packageVersion(), socketPath };
const server = createServer((request, reply) => {
  if (request.method === 'POST') stop();
  reply.setHeader('content-type', 'application/json');
  reply.end(JSON.stringify({ version: own.version, pid: process.pid, dataDir }));
});

function stop(): void {
  removeRecord(files.server, own);
  server.close(() => process.exit(0));
}

process.on('SIGTERM', stop);
rmSync(socketPath, { force: true });
server.listen(socketPath, () => writeRecord(files.server, own));
