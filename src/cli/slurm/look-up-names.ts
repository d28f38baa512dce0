import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

type Database = 'passwd' | 'group';

/** The fields of a user or group, by name (text) or number; undefined when there is none. In both the third one is the number. */
export type EntryOf = (database: Database, key: string | number) => readonly string[] | undefined;

/** A directory of users elsewhere may be slow, and must not hold a command up for long. */
const PATIENCE_MS = 2_000;
/** Options of getent(1) and separators of its lines are none. */
const NAME = /^[^-:\s][^:\s]{0,254}$/;

/** Users and groups of a machine: of its files, else wherever it has others from (LDAP, SSSD), as getent(1) tells. Each is looked for once. */
export function lookUpNames(
  readFile: (path: string) => string = readText,
  ask: (database: Database, key: string) => string = askGetent,
): EntryOf {
  const files = new Map<Database, ReadonlyMap<string | number, readonly string[]>>();
  const asked = new Map<string, readonly string[] | undefined>();
  return (database, key) => {
    let file = files.get(database);
    if (file === undefined) {
      file = byKey(readFile(`/etc/${database}`));
      files.set(database, file);
    }
    const found = file.get(key);
    // By digits getent takes a number.
    if (found !== undefined || (typeof key === 'string' && (!NAME.test(key) || /^\d+$/.test(key)))) return found;
    const question = `${database} ${key}`;
    if (!asked.has(question)) asked.set(question, byKey(ask(database, String(key))).get(key));
    return asked.get(question);
  };
}

/** Of two lines for the same the first one counts. */
function byKey(text: string): Map<string | number, readonly string[]> {
  const found = new Map<string | number, readonly string[]>();
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    const [name = '', , id = ''] = fields;
    if (!/^\d{1,10}$/.test(id)) continue;
    for (const key of [name, Number(id)]) if (!found.has(key)) found.set(key, fields);
  }
  return found;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ends with 2 where there is no such entry, and is missing on some machines: neither is an error here. */
function askGetent(database: Database, key: string): string {
  try {
    return execFileSync('getent', [database, key], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
