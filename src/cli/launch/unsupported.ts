import { SpawnError } from '../../core/errors.ts';
import type { Option } from '../command.ts';

/** What a local instance is or has in place of what an option asks for. */
const WHY = {
  image: 'a local instance has the programs of this machine, no image of its own',
  disk: 'a local instance uses the disks of this machine',
  network: 'local instances share the loopback network of this machine; nothing else reaches them',
  keys: 'there is no ssh to a local instance: spawn connect NAME opens a shell in it',
  rights: 'a local instance has the rights of the user that starts it',
  account: 'there is no cloud account behind the local provider',
  capacity: 'nothing is reserved on this machine',
  placement: 'all local instances are on this machine already',
  hardware: 'a local instance has the hardware of this machine',
  completion: 'completion is told by spored complete inside the instance, and acts at once',
  webhook: 'the local provider sends no webhooks; spawn events shows what happened',
  session: 'a session of spawn connect has no time limit of its own',
} as const;

type Why = keyof typeof WHY;

/** Options of a launch in the cloud that mean nothing on this machine. The second part says whether it takes a value. */
const ROWS: readonly (readonly [name: string, value: string | undefined, why: Why])[] = [
  ['ami', 'ID', 'image'],
  ['os', 'NAME', 'image'],
  ['volume-size', 'GIB', 'disk'],
  ['attach-volume', 'SNAPSHOT', 'disk'],
  ['efs-id', 'ID', 'disk'],
  ['efs-mount-point', 'PATH', 'disk'],
  ['efs-profile', 'NAME', 'disk'],
  ['efs-mount-options', 'TEXT', 'disk'],
  ['fsx-create', undefined, 'disk'],
  ['fsx-id', 'ID', 'disk'],
  ['fsx-lifecycle', 'KIND', 'disk'],
  ['fsx-ttl', 'DURATION', 'disk'],
  ['fsx-recall', 'NAME', 'disk'],
  ['fsx-storage-capacity', 'GIB', 'disk'],
  ['fsx-throughput', 'N', 'disk'],
  ['fsx-s3-bucket', 'NAME', 'disk'],
  ['fsx-import-path', 'PATH', 'disk'],
  ['fsx-export-path', 'PATH', 'disk'],
  ['fsx-mount-point', 'PATH', 'disk'],
  ['vpc', 'ID', 'network'],
  ['subnet', 'ID', 'network'],
  ['subnet-id', 'ID', 'network'],
  ['security-group', 'ID', 'network'],
  ['security-group-ids', 'LIST', 'network'],
  ['allow-cidr', 'RANGE', 'network'],
  ['key-name', 'NAME', 'keys'],
  ['key-pair', 'NAME', 'keys'],
  ['wait-for-ssh', undefined, 'keys'],
  ['iam-role', 'NAME', 'rights'],
  ['iam-policy', 'LIST', 'rights'],
  ['iam-managed-policies', 'LIST', 'rights'],
  ['iam-policy-file', 'FILE', 'rights'],
  ['iam-trust-services', 'LIST', 'rights'],
  ['iam-role-tags', 'LIST', 'rights'],
  ['iam-allow-full-access', undefined, 'rights'],
  ['profile', 'NAME', 'account'],
  ['account', 'ID', 'account'],
  ['team', 'NAME', 'account'],
  ['use-reservation', undefined, 'capacity'],
  ['reservation-id', 'ID', 'capacity'],
  ['capacity-block', 'ID', 'capacity'],
  ['placement-group', 'NAME', 'placement'],
  ['auto-placement-group', undefined, 'placement'],
  ['efa', undefined, 'hardware'],
  ['nested-virtualization', undefined, 'hardware'],
  ['completion-file', 'PATH', 'completion'],
  ['completion-delay', 'DURATION', 'completion'],
  ['spot-webhook-url', 'URL', 'webhook'],
  ['completion-webhook-url', 'URL', 'webhook'],
  ['webhook-correlation', 'TEXT', 'webhook'],
  ['webhook-timeout', 'DURATION', 'webhook'],
  ['slack-workspace', 'ID', 'webhook'],
  ['session-timeout', 'DURATION', 'session'],
];

/** They are known, so that a command line written for the cloud is told all that stands in its way at once. */
export const UNSUPPORTED: Readonly<Record<string, Option<string>>> = Object.fromEntries(
  ROWS.map(([name, value, why]) => [
    name,
    { summary: `Refused, for now: ${WHY[why]}`, hidden: true, ...(value === undefined ? {} : { value }) },
  ]),
);

/**
 * Refuses the options that the provider cannot honour, all of them in one answer.
 * @param found what was given, each as the person wrote it: `--ami`, or a place in a file
 * @param ignore launch without them, and say so
 * @returns the note to print, if any
 */
export function checkSupported(
  found: readonly { readonly option: string; readonly where: string }[],
  ignore: boolean,
): string | undefined {
  if (found.length === 0) return undefined;
  const names = found.map(({ where }) => where);
  if (ignore) return `provider local ignores ${names.join(', ')}`;
  const width = Math.max(...names.map((name) => name.length));
  const lines = found.map(({ option, where }) => `  ${where.padEnd(width)}  ${whyOf(option)}`);
  const message = ['launch: provider local cannot honour:', ...lines, '  --ignore-unsupported launches without'].join(
    '\n',
  );
  throw new SpawnError('USAGE', { message });
}

function whyOf(option: string): string {
  const row = ROWS.find(([name]) => name === option);
  return row === undefined ? '' : WHY[row[2]];
}
