import { MAX_BODY_BYTES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';
import { RESERVED, reservedLike } from './param-file-keys.ts';
import type { Plain, TextDocument } from './text-document.ts';

/** An option of `spawn launch` that a file says, as text. */
export interface FileOption {
  /** Long name without dashes. */
  readonly option: string;
  readonly text: string;
  /** As errors call it: `params.json:3:14 defaults.ttl`. */
  readonly where: string;
}

/** The parameters of a sweep, and what else the file says of the launch. */
export interface ParamFile {
  /** As errors call it. */
  readonly path: string;
  /** Of `defaults`: flags go before them. */
  readonly defaults: readonly FileOption[];
  /** What all rows say alike: they go before flags. */
  readonly shared: readonly FileOption[];
  /** One set of parameters a member. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** What is odd and no fault. */
  readonly notes: readonly string[];
}

/** Parameters of the tasks of a sweep, made as they are asked for. */
export interface SweepFile {
  /** Of `defaults`: flags go before them. */
  readonly options: readonly FileOption[];
  readonly notes: readonly string[];
  /** One set of parameters a task. Errors: what is wrong with a set, when its turn comes. */
  readonly sets: Iterable<Readonly<Record<string, string>>> | AsyncIterable<Readonly<Record<string, string>>>;
}

/** As many as an instance array may have. */
export const MAX_ROWS = 10_000;
const MAX_VALUE = 65_536;
/** Half of what one request may hold, for what its JSON adds. */
const MAX_TOGETHER = MAX_BODY_BYTES / 2;
const MAX_NAME = 128;
const SECTIONS = ['defaults', 'grid', 'params'];
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Fields = Readonly<Record<string, Plain>>;
type Keys = readonly (string | number)[];

/** Reads sets of parameters out of a document. */
export class ParamReader {
  private readonly path: string;
  private readonly document: TextDocument;
  private readonly notes: string[] = [];
  private readonly most: number;

  constructor(path: string, document: TextDocument, most: number) {
    this.path = path;
    this.document = document;
    this.most = most;
  }

  read(): ParamFile {
    const { defaults, base, all } = this.parts();
    const rows = [...all()].map(([row, keys]) => this.split(row, keys));
    const sets = rows.map(({ params }) => ({ ...base, ...params }));
    this.checkSize(sets);
    return {
      path: this.path,
      defaults,
      shared: this.sharedOf(rows.map(({ options }) => options)),
      rows: sets,
      notes: this.notes,
    };
  }

  open(): SweepFile {
    const { defaults, base, all } = this.parts();
    const set = (fields: Fields, keys: Keys) => this.set(base, fields, keys);
    function* sets() {
      for (const [fields, keys] of all()) yield set(fields, keys);
    }
    return { options: defaults, notes: this.notes, sets: sets() };
  }

  /** Parameters alone, over those that all have. */
  set(base: Readonly<Record<string, string>>, fields: Fields, keys: Keys): Readonly<Record<string, string>> {
    const { options, params } = this.split(fields, keys);
    const [option] = options;
    if (option !== undefined) {
      const advice = `; under "defaults" it holds for all tasks, and a parameter of that name is written with "param:" before it`;
      throw usage(`${option.where}: expected a parameter, found the option --${option.option}${advice}`);
    }
    return { ...base, ...params };
  }

  private parts() {
    const { value } = this.document;
    // A list alone is what stands under `params`.
    const bare = Array.isArray(value);
    const top = bare ? { params: value as Plain } : this.fields(value, [], 'an object with defaults, grid or params');
    this.checkSections(top);
    const { options: defaults, params: base } = this.split(this.fields(top.defaults ?? {}, ['defaults'], 'an object'), [
      'defaults',
    ]);
    const params = this.list(top.params ?? [], ['params']);
    const most = `at most ${this.most} sets of parameters`;
    if (params.length > this.most) this.bad(bare ? [] : ['params'], most, `${this.most + 1} or more`);
    const listed = params.map((row, at): [Fields, Keys] => {
      const keys = bare ? [at] : ['params', at];
      return [this.fields(row, keys, 'an object'), keys];
    });
    const grid = this.grid(top.grid);
    const size = listed.length + grid.size;
    if (size === 0) this.bad([], 'at least one set of parameters under params or grid', 'none');
    if (size > this.most) this.bad(['grid'], `${most}, with those of params`, `${size}`);
    function* all(): Generator<[Fields, Keys]> {
      yield* listed;
      yield* grid.rows();
    }
    return { defaults, base, all };
  }

  /** A small file of lists can make more than a request may hold. */
  private checkSize(sets: ParamFile['rows']): void {
    let size = 0;
    for (const set of sets) for (const [name, value] of Object.entries(set)) size += name.length + value.length + 8;
    if (size > MAX_TOGETHER) this.bad([], `at most ${MAX_TOGETHER} characters in all sets together`, `${size}`);
  }

  private checkSections(top: Fields): void {
    for (const key of Object.keys(top)) {
      if (SECTIONS.includes(key)) continue;
      if (Object.hasOwn(RESERVED, key)) this.bad([key], 'it under "defaults"', 'it beside it');
      this.notes.push(
        `${this.document.place([key])}: ${JSON.stringify(key)} is none of defaults, grid and params: it means nothing`,
      );
    }
  }

  /** Every combination of the lists of `grid`, by sorted names, the last one changing first. */
  private grid(grid: Plain | undefined): { readonly size: number; readonly rows: () => Iterable<[Fields, Keys]> } {
    if (grid === undefined || grid === null) return { size: 0, rows: () => [] };
    const fields = this.fields(grid, ['grid'], 'an object of lists');
    const names = Object.keys(fields).sort();
    if (names.length === 0) return { size: 0, rows: () => [] };
    const lists = names.map((name) => {
      const list = this.list(fields[name]!, ['grid', name]);
      if (list.length === 0) this.bad(['grid', name], 'at least one value', 'an empty list');
      return list;
    });
    const size = lists.reduce((product, { length }) => product * length, 1);
    if (size > this.most) this.bad(['grid'], `at most ${this.most} combinations`, `${size}`);
    return { size, rows: () => combinations(names, lists, size) };
  }

  /** Options and parameters of one set. */
  private split(fields: Fields, keys: Keys): { options: FileOption[]; params: Record<string, string> } {
    const options: FileOption[] = [];
    const params: Record<string, string> = {};
    for (const [key, value] of Object.entries(fields)) {
      if (value === null) continue;
      const at = [...keys, key];
      if (typeof value !== 'string') this.bad(at, 'one value', Array.isArray(value) ? 'a list' : 'an object');
      const option = Object.hasOwn(RESERVED, key) ? RESERVED[key]! : undefined;
      if (option === undefined) this.addParam(params, key, value, at);
      else if (options.some((other) => other.option === option))
        this.bad(at, `--${option} said once`, 'it twice, under two names');
      else options.push(this.option(option, value, at));
    }
    return { options, params };
  }

  /** Its place takes a while to find, and is asked for when something is wrong with it. */
  private option(option: string, text: string, at: Keys): FileOption {
    const where = () => this.where(at);
    return {
      option,
      text,
      get where() {
        return where();
      },
    };
  }

  private addParam(params: Record<string, string>, key: string, value: string, at: Keys): void {
    const forced = key.startsWith('param:');
    const name = forced ? key.slice('param:'.length) : key;
    const meant = forced ? undefined : reservedLike(name);
    if (meant !== undefined) {
      const found = `${JSON.stringify(key)}; a parameter of that name is written "param:${key}"`;
      this.bad(at, `${meant}, which it looks like`, found);
    }
    // JSON has it, and many programs lose it.
    if (name === '__proto__') this.bad(at, 'another name', JSON.stringify(name));
    if (!PARAMETER.test(name) || name.length > MAX_NAME) {
      this.bad(at, `a name of letters, digits and "_", no digit first, at most ${MAX_NAME} long`, JSON.stringify(name));
    }
    if (/[\n\r\0]/.test(value)) this.bad(at, 'one line', 'a line break or NUL in it');
    if (value.length > MAX_VALUE) this.bad(at, `at most ${MAX_VALUE} characters`, `${value.length}`);
    if (!value.isWellFormed()) this.bad(at, 'text', 'half a surrogate pair');
    params[name] = value;
  }

  /** Options that rows say hold for the array, so all must say the same. */
  private sharedOf(rows: readonly (readonly FileOption[])[]): readonly FileOption[] {
    const [first = []] = rows;
    rows.forEach((row) => {
      for (const one of row) {
        const other = first.find(({ option }) => option === one.option);
        if (other?.text === one.text) continue;
        const found = `${JSON.stringify(one.text)} here and ${other === undefined ? 'nothing' : JSON.stringify(other.text)} in the first`;
        const hint = one.option === 'name' ? '; --instance-names names the members' : '; launch an array for each';
        throw usage(`${one.where}: expected the same for every member of an array, found ${found}${hint}`);
      }
      for (const one of first) {
        if (row.some(({ option }) => option === one.option)) continue;
        throw usage(
          `${one.where}: expected the same for every member of an array, found ${JSON.stringify(one.text)} in the first and nothing in another`,
        );
      }
    });
    return first;
  }

  private fields(value: Plain | undefined, keys: Keys, expected: string): Fields {
    if (value === null || value === undefined || typeof value === 'string' || Array.isArray(value)) {
      return this.bad(
        keys,
        expected,
        value === null || value === undefined ? 'nothing' : typeof value === 'string' ? 'one value' : 'a list',
      );
    }
    return value as Fields;
  }

  private list(value: Plain, keys: Keys): readonly Plain[] {
    if (Array.isArray(value)) return value as readonly Plain[];
    return this.bad(keys, 'a list', value === null ? 'nothing' : typeof value === 'string' ? 'one value' : 'an object');
  }

  private where(keys: Keys): string {
    const field = keys
      .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
      .join('')
      .replace(/^\./, '');
    return `${this.document.place(keys)}${field === '' ? '' : ` ${field}`}`;
  }

  private bad(keys: Keys, expected: string, found: string): never {
    throw usage(`${this.where(keys)}: expected ${expected}, found ${found}`);
  }
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message });
}

function* combinations(
  names: readonly string[],
  lists: readonly (readonly Plain[])[],
  size: number,
): Generator<[Fields, Keys]> {
  for (let at = 0; at < size; at++) {
    let rest = at;
    const row: [string, Plain][] = [];
    for (let n = names.length - 1; n >= 0; n--) {
      const list = lists[n]!;
      row.unshift([names[n]!, list[rest % list.length]!]);
      rest = Math.floor(rest / list.length);
    }
    yield [Object.fromEntries(row), ['grid']];
  }
}
