import { findParamRow, type ParamTable, readParamTable } from '../api/param-table.ts';
import { type Params, readParamLine } from '../core/params.ts';
import { Backoff } from './backoff.ts';
import { isForGood } from './for-good.ts';
import type { JobFiles } from './job-files.ts';

/** Pieces that stay in memory: what runs at once is close together, but for what is retried. */
const KEPT_PIECES = 8;

/** Of one task; or why it has none, for people. */
export type Row = { readonly params: Params } | { readonly missing: string };

export interface ParamRowsOptions {
  /** Of all tasks. */
  readonly shared: Params;
  /** Hash of the table; undefined: the shared ones are all there are. */
  readonly table: string | undefined;
  readonly files: Pick<JobFiles, 'blob'>;
  /** Rows that were asked for are here. */
  readonly onHere: () => void;
  readonly onFailed: (error: unknown) => void;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** The parameters of the tasks of one job. Rows of a table come in pieces, when they are asked for. */
export class ParamRows {
  readonly #options: ParamRowsOptions;
  #table: Promise<ParamTable> | undefined;
  #known: ParamTable | undefined;
  /** Why nothing of the table can be had. */
  #broken: string | undefined;
  /** Lines by piece, the one that was used last at the end; or why they cannot be had. */
  readonly #pieces = new Map<number, readonly string[] | string>();
  readonly #coming = new Map<number, Promise<readonly string[] | string>>();

  constructor(options: ParamRowsOptions) {
    this.#options = options;
  }

  /** Of the task at a position; undefined while it is fetched: `onHere` says when it is worth asking again. */
  at(position: number): Row | undefined {
    if (this.#options.table === undefined) return { params: this.#options.shared };
    if (this.#broken !== undefined) return { missing: this.#broken };
    const found = this.#known === undefined ? undefined : findParamRow(this.#known, position);
    const lines = found === undefined ? undefined : this.#pieces.get(found.piece);
    if (lines !== undefined) {
      this.#keep(found!.piece, lines);
      return this.#merge(lines, found!.at);
    }
    void this.rowOf(position).catch(() => undefined);
    return undefined;
  }

  /** The same, when it is here. Rejects when the session is over. */
  async rowOf(position: number): Promise<Row> {
    const { shared, table } = this.#options;
    if (table === undefined) return { params: shared };
    try {
      this.#table ??= this.#fetchTable(table);
      this.#known ??= await this.#table;
    } catch (error) {
      return { missing: this.#lost(error) };
    }
    const { piece, at } = findParamRow(this.#known, position);
    const lines = this.#pieces.get(piece) ?? (await this.#comingPiece(this.#known, piece));
    return this.#merge(lines, at);
  }

  /** Nothing of the table can be had. */
  #lost(error: unknown): string {
    const { signal, onHere } = this.#options;
    if (signal.aborted) throw error;
    if (this.#broken === undefined) {
      this.#broken = whyOf(error);
      onHere();
    }
    return this.#broken;
  }

  async #comingPiece(table: ParamTable, piece: number): Promise<readonly string[] | string> {
    const known = this.#coming.get(piece);
    if (known !== undefined) return await known;
    const coming = this.#fetchPiece(table, piece);
    this.#coming.set(piece, coming);
    try {
      const lines = await coming;
      this.#keep(piece, lines);
      return lines;
    } finally {
      this.#coming.delete(piece);
      if (!this.#options.signal.aborted) this.#options.onHere();
    }
  }

  #merge(lines: readonly string[] | string, at: number): Row {
    if (typeof lines === 'string') return { missing: lines };
    try {
      return { params: { ...this.#options.shared, ...readParamLine(lines[at] ?? '') } };
    } catch (error) {
      return { missing: whyOf(error) };
    }
  }

  #keep(piece: number, lines: readonly string[] | string): void {
    this.#pieces.delete(piece);
    this.#pieces.set(piece, lines);
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size <= KEPT_PIECES) break;
      this.#pieces.delete(oldest);
    }
  }

  async #fetchTable(hash: string): Promise<ParamTable> {
    const table = readParamTable(await this.#fetch(hash));
    if (table === undefined) throw new Error(`${hash} is no table of parameters`);
    return table;
  }

  async #fetchPiece({ pieces }: ParamTable, piece: number): Promise<readonly string[] | string> {
    try {
      return new TextDecoder().decode(await this.#fetch(pieces[piece]![0])).split('\n');
    } catch (error) {
      if (this.#options.signal.aborted) throw error;
      return whyOf(error);
    }
  }

  /** Tries until it is here, or will never be. */
  async #fetch(hash: string): Promise<Uint8Array> {
    const { files, signal, onFailed } = this.#options;
    const backoff = new Backoff({ firstMs: 100, mostMs: 5_000 });
    for (;;) {
      signal.throwIfAborted();
      try {
        return await files.blob(hash);
      } catch (error) {
        if (isForGood(error)) throw error;
        onFailed(error);
        await backoff.pause(signal);
      }
    }
  }
}

function whyOf(error: unknown): string {
  return `the parameters of the task cannot be had: ${error instanceof Error ? error.message : String(error)}`;
}
