/** Where something stands in the text, in characters from the start. */
export interface Fault {
  readonly at: number;
  /** As errors call it: `compute.memory`; '' for the whole file. */
  readonly where: string;
  /** What was expected and found, in one line. */
  readonly says: string;
}

export type Keys = readonly PropertyKey[];

/** Faults that are kept: of more nobody reads the rest. */
const MOST_FAULTS = 1_000;

/** What is wrong with a file, as it is found. */
export class Faults {
  private readonly all: Fault[] = [];
  private readonly seen = new Set<string>();

  add(at: number, keys: Keys, expected: string, found: string): void {
    this.say(at, keys, `expected ${expected}, found ${found}`);
  }

  say(at: number, keys: Keys, says: string): void {
    const where = nameOf(keys);
    const key = `${at} ${where} ${says}`;
    if (this.all.length >= MOST_FAULTS || this.seen.has(key)) return;
    this.seen.add(key);
    this.all.push({ at, where, says });
  }

  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  /** In the order of the file. */
  sorted(): readonly Fault[] {
    return this.all.toSorted((a, b) => a.at - b.at);
  }
}

const SHOWN_KEY = 40;
const MOST_LEVELS = 16;

/** `stages.clean.compute.memory`, `notification[2].on`, `env["my key"]`. */
function nameOf(keys: Keys): string {
  if (keys.length > MOST_LEVELS) return `${nameOf(keys.slice(0, MOST_LEVELS / 2))}…`;
  let name = '';
  for (const key of keys) {
    const plain = String(key);
    if (typeof key === 'number') name += `[${key}]`;
    else if (/^[\w-]{1,64}$/.test(plain)) name += name === '' ? plain : `.${plain}`;
    else name += `[${quote(plain, SHOWN_KEY)}]`;
  }
  return name;
}

const SHOWN_TEXT = 60;

/** In quotes, cut, and without what would steer a terminal. */
export function quote(text: string, most = SHOWN_TEXT): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return JSON.stringify(cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u00b7');
}
