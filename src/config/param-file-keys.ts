/**
 * Names in a file of parameters that stand for an option of `spawn launch`, with that option. All other names are parameters; one of these becomes
 * a parameter when it is written as `param:NAME`.
 */
export const RESERVED: Readonly<Record<string, string>> = {
  instance_type: 'instance-type',
  region: 'region',
  az: 'az',
  availability_zone: 'az',
  name: 'name',
  instance_names: 'instance-names',
  command: 'command',
  user_command: 'command',
  user_data: 'user-data',
  ttl: 'ttl',
  ttl_mode: 'ttl-mode',
  idle_timeout: 'idle-timeout',
  idle_cpu: 'idle-cpu',
  on_idle: 'on-idle',
  hibernate: 'hibernate',
  on_complete: 'on-complete',
  pre_stop: 'pre-stop',
  pre_stop_timeout: 'pre-stop-timeout',
  spot: 'spot',
  spot_max_price: 'spot-max-price',
  cost_limit: 'cost-limit',
  time_limit: 'time-limit',
  retries: 'retries',
  dns: 'dns',
  dns_name: 'dns',
  ami: 'ami',
  iam_role: 'iam-role',
  key_name: 'key-name',
  key_pair: 'key-pair',
  volume_size: 'volume-size',
  session_timeout: 'session-timeout',
  completion_file: 'completion-file',
  completion_delay: 'completion-delay',
};

/** Names that people write for one of those, and that would quietly become a parameter. */
const MEANT: Readonly<Record<string, string>> = {
  ttl_hours: 'ttl',
  ttl_minutes: 'ttl',
  budget: 'cost_limit',
  disk_size: 'volume_size',
  instancetype: 'instance_type',
  machine_type: 'instance_type',
  spot_price: 'spot_max_price',
  max_price: 'spot_max_price',
  userdata: 'user_data',
  hibernate_on_idle: 'hibernate',
};

const SHORTEST = 5;

/** The reserved name that was most likely meant by one that is none; undefined when it is a parameter's. */
export function reservedLike(name: string): string | undefined {
  const plain = name.toLowerCase().replaceAll('-', '_');
  if (plain !== name && Object.hasOwn(RESERVED, plain)) return plain;
  if (Object.hasOwn(MEANT, plain)) return MEANT[plain];
  if (plain.length < SHORTEST) return undefined;
  return Object.keys(RESERVED).find((key) => key.length + 1 >= SHORTEST && isOneEdit(plain, key));
}

/** Whether one letter more, less or another makes `b` of `a`, or two that changed places. */
function isOneEdit(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let from = 0;
  while (from < a.length && a[from] === b[from]) from += 1;
  let ends = 0;
  while (ends < Math.min(a.length, b.length) - from && a.at(-1 - ends) === b.at(-1 - ends)) ends += 1;
  const [left, right] = [a.slice(from, a.length - ends), b.slice(from, b.length - ends)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right === `${left[1]}${left[0]}`;
}
