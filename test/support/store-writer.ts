// A process of its own that writes to a store until it is killed or a commit is refused.
// argv: PATH FIRST. Prints `open EPOCH`, then each number whose commit was acknowledged; then the refusal, and what the
// store answers after it to a commit and to a read.
import { writeSync } from 'node:fs';
import { isSpawnError } from '../../src/core/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/store/store.ts';
import { aBatch, numberedBatch } from './store-rows.ts';

const [path = '', first = '1'] = process.argv.slice(2);

/** Straight to the pipe: what is printed was acknowledged, also when SIGKILL comes next. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

function sayError(error: unknown): void {
  say(isSpawnError(error) ? `${error.code} ${error.message}` : String(error));
}

async function writeUntilRefused(store: Store): Promise<void> {
  try {
    for (let number = Number(first); ; number++) {
      await store.commit(numberedBatch(number));
      say(`${number}`);
    }
  } catch (error) {
    sayError(error);
  }
}

try {
  const store = await openSqliteStore({ path });
  say(`open ${store.epoch}`);
  await writeUntilRefused(store);
  await store.commit(aBatch()).then(() => say('commit ok'), sayError);
  await store.load().then(() => say('load ok'), sayError);
  await store.close();
} catch (error) {
  sayError(error);
}
