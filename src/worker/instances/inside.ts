import { CompleteAction, IdleAction } from '../../api/instance.ts';
import { CompleteAsk, ConfigGetAsk, ConfigSetAsk } from '../../api/instance-inside.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { parseDuration } from '../../core/duration.ts';
import { SpawnError } from '../../core/errors.ts';
import type { InsideReply, InsideRequest } from '../../providers/provider.ts';
import { configOf, statusOf } from './instance-status.ts';
import type { ServedInstance } from './served-instance.ts';

const MOST_MESSAGE = 4_096;
/** Answers what the `spored` command inside an instance asks; docs/in-instance.md. */
export async function answerInside(instance: ServedInstance, request: InsideRequest): Promise<InsideReply> {
  try {
    return await answer(instance, request);
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function answer(instance: ServedInstance, request: InsideRequest): Promise<InsideReply> {
  switch (request.command) {
    case 'complete':
      return complete(instance, read(CompleteAsk, request));
    case 'status':
      return { ok: true, status: statusOf(instance) };
    case 'config-list':
      return { ok: true, values: configOf(instance) };
    case 'config-get':
      return { ok: true, value: settingOf(instance, read(ConfigGetAsk, request).key) };
    case 'config-set': {
      const { key, value } = read(ConfigSetAsk, request);
      set(instance, key, value);
      instance.look();
      instance.changed();
      // Acknowledged means kept.
      await instance.remember();
      return { ok: true, value: settingOf(instance, key) };
    }
    case 'reload':
      return { ok: true, changed: await instance.folder.reload() };
    default:
      return refused('command', 'complete, status, config-get, config-set, config-list or reload', request.command);
  }
}

async function complete(instance: ServedInstance, { status, message }: CompleteAsk): Promise<InsideReply> {
  const { life } = instance;
  const first = life.completion === undefined;
  if (first) {
    const text = message?.slice(0, MOST_MESSAGE);
    life.completion = { status, ...(text === undefined || text === '' ? {} : { message: text }) };
    instance.log(`complete: ${status}${text ? `: ${text}` : ''}`);
    await instance.remember();
    instance.changed();
    instance.look();
  }
  return { ok: true, first, status: life.completion!.status };
}

function settingOf(instance: ServedInstance, key: string): string {
  const values = configOf(instance);
  if (!Object.hasOwn(values, key)) return refused('key', Object.keys(values).join(', '), key);
  return values[key]!;
}

/** Holds for this instance alone. */
function set(instance: ServedInstance, key: string, value: string): void {
  const { life } = instance;
  switch (key) {
    case 'ttl': {
      const ttlMs = duration(key, value);
      life.moveDeadline(ttlMs === 0 ? undefined : ttlMs);
      return;
    }
    case 'idle-timeout':
      life.own.idleTimeoutMs = duration(key, value);
      return;
    case 'idle-cpu':
      life.own.idleCpuPercent = percent(value);
      return;
    case 'on-complete':
      life.own.onComplete = oneOf(CompleteAction, key, value);
      return;
    case 'on-idle':
      life.own.onIdle = oneOf(IdleAction, key, value);
      return;
    case 'completion-file':
      if (!/^\/\P{Cc}+$/u.test(value)) refused(key, 'an absolute path', value);
      life.own.completionFile = value;
      return;
    case 'pre-stop':
      life.own.preStop = value;
      return;
    case 'pre-stop-timeout':
      life.own.preStopTimeoutMs = duration(key, value);
      return;
    default:
      refused('key', Object.keys(configOf(instance)).join(', '), key);
  }
}

function duration(key: string, value: string): number {
  const ms = parseDuration(value);
  if (ms > MAX_DURATION_MS) return refused(key, 'a shorter duration', value);
  return ms;
}

function percent(value: string): number {
  const number = /^\d+(\.\d+)?%?$/.test(value) ? Number.parseFloat(value) : Number.NaN;
  if (!(number <= 100)) return refused('idle-cpu', 'a percentage from 0 to 100', value);
  return number;
}

function oneOf<T extends string>(values: { readonly options: readonly T[] }, key: string, value: string): T {
  const known = values.options.find((option) => option === value);
  return known ?? refused(key, values.options.join(', '), value);
}

/** A schema of the contract, as far as it is needed here. */
interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

function read<T>(schema: Schema<T>, request: InsideRequest): T {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  return refused(path.join('.') || request.command, message, 'something else');
}

function refused(where: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}
