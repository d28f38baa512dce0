import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunSpec } from '../../api/job-spec.ts';
import { MAX_BLOB_BYTES, MAX_BODY_BYTES } from '../../api/limits.ts';
import type { SpecFileInput } from '../../api/spec-file.ts';
import { parseJsonObject } from '../../config/json-file.ts';
import { checkScript } from '../../config/read-script.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import type { Work } from '../submit-input.ts';
import type { World } from '../world.ts';
import type { SpecPart } from './spec-of.ts';

/** A spec file as read. */
export interface SpecFromFile {
  /** As errors call it. */
  readonly path: string;
  /** Absent: the command line must say what runs. */
  readonly work: Work | RunSpec | undefined;
  readonly spec: SpecPart;
}

/** A script in base64 is a third longer than its bytes. */
const MAX_FILE_BYTES = Math.min(MAX_BODY_BYTES, 2 * MAX_BLOB_BYTES);

/**
 * Reads a job as `spawn export` writes it: the fields of a job spec, of which `cwd`, `umask` and `run` may be left out. Nothing
 * else may be in it.
 *
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, USAGE, BAD_REQUEST with the file and the field
 */
export async function readSpecFile(path: string, world: Pick<World, 'cwd' | 'stdin'>): Promise<SpecFromFile> {
  const name = path === '-' ? '(standard input)' : path;
  const fields = parseJsonObject(name, path === '-' ? await readInput(world) : readText(path, world.cwd));
  // Loaded here only: the contract is slow to load, and most submits need none of it.
  const [{ SpecFile }, { check }] = await Promise.all([
    import('../../api/spec-file.ts'),
    import('../../api/refusal.ts'),
  ]);
  try {
    check(SpecFile, 'spec', fields);
  } catch (error) {
    throw isSpawnError(error) ? error.with({ where: `${name}: ${error.details.where}` }) : error;
  }
  const { run, ...spec } = fields as SpecFileInput;
  // JSON knows no undefined.
  return { path: name, spec: spec as SpecPart, work: run === undefined ? undefined : workOf(run, name) };
}

function workOf(run: NonNullable<SpecFileInput['run']>, path: string): Work | RunSpec {
  if (run.kind === 'handler') return { ...run, export: run.export ?? 'default' };
  if (run.kind !== 'script') return run;
  const { name, args = [], hash, content = '', encoding } = run;
  if (hash !== undefined) return { kind: 'script', name, args, hash };
  if (encoding === 'base64' && !/^[A-Za-z0-9+/]*={0,2}$/.test(content)) {
    throw new SpawnError('USAGE', { message: `${path}: spec.run.content: expected base64, found something else` });
  }
  const bytes = new Uint8Array(Buffer.from(content, encoding ?? 'utf8'));
  if (bytes.length > MAX_BLOB_BYTES) {
    throw new SpawnError('SCRIPT_TOO_LARGE', { path: `in ${path}`, size: bytes.length, max: MAX_BLOB_BYTES });
  }
  checkScript(bytes, `${path}: spec.run.content`);
  return { kind: 'script', name, bytes, args };
}

function readText(path: string, cwd: string): string {
  const file = resolve(cwd, path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new SpawnError('FILE_NOT_FOUND', { where: '--spec', path });
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SpawnError('FILE_UNREADABLE', { where: '--spec', path, why }, { cause: error });
  }
  return text(path, bytes);
}

async function readInput({ stdin }: Pick<World, 'stdin'>): Promise<string> {
  if (stdin.isTTY)
    throw new SpawnError('USAGE', { message: '--spec: expected a spec on standard input, found a terminal' });
  const bytes = await stdin.read(MAX_FILE_BYTES);
  return text('(standard input)', bytes ?? new Uint8Array(MAX_FILE_BYTES + 1));
}

function text(path: string, bytes: Uint8Array): string {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new SpawnError('USAGE', { message: `--spec ${path}: expected at most ${MAX_FILE_BYTES} bytes, found more` });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SpawnError('FILE_UNREADABLE', { where: '--spec', path, why: 'it is not UTF-8 text' }, { cause });
  }
}
