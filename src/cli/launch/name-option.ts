import { isSpawnError, type SpawnError } from '../../core/errors.ts';
import { named } from '../option-values.ts';
import { OPTION_OF } from '../submit/spec-of.ts';

/** Which option says what the plan, and the coordinator, find something wrong with. */
const OPTION_OF_PART: Readonly<Record<string, string>> = {
  array: '--array',
  type: '--instance-type',
  'instance type': '--instance-type',
  region: '--region',
  zone: '--az',
  names: '--instance-names',
  'instance names': '--instance-names',
  ttl: '--ttl',
  ttlMs: '--ttl',
  idleTimeoutMs: '--idle-timeout',
  spotMaxPrice: '--spot-max-price',
  minViable: '--min-viable',
  strict: '--strict',
  params: '--param-file',
  dns: '--dns',
  'DNS name': '--dns',
  tags: '--tag',
  costLimit: '--cost-limit',
  preStop: '--pre-stop',
  replacements: '--replacements',
  userData: '--user-data',
};

/** @param nameFrom the option that named the array */
export function namePlanFault(error: SpawnError, nameFrom: string): unknown {
  if (error.code === 'ARRAY_TOO_LARGE') return named('--array', error);
  const where = String(error.details.where ?? '');
  if (where === 'name of the array') return error.with({ where: nameFrom });
  const [, part = where, column = ''] = /^(.*?)(, column \d+)?$/.exec(where) ?? [];
  const option = Object.hasOwn(OPTION_OF_PART, part) ? OPTION_OF_PART[part] : undefined;
  return option === undefined ? error : error.with({ where: option + column });
}

/** What only the coordinator can find wrong, with the option that said it. */
export function nameServerFault(error: unknown, nameFrom: string): unknown {
  if (!isSpawnError(error)) return error;
  if (error.code.startsWith('DEPENDENCY_')) return named('--after', error);
  const where = String(error.details.where ?? '');
  const [, part] = /^spec\.instances\.(\w+)/.exec(where) ?? [];
  if (part !== undefined) return namePlanFault(error.with({ where: part }), nameFrom);
  const [, field] = /^spec\.(\w+)/.exec(where) ?? [];
  const option = field === undefined ? undefined : OPTION_OF[field];
  return option === undefined ? namePlanFault(error, nameFrom) : named(`--${option}`, error);
}
