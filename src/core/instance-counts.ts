/** In which the counts of a group are shown. */
const STATES = ['running', 'pending', 'stopping', 'stopped', 'hibernated', 'shutting-down', 'terminated'];

/** `8 instances, 7 running, 1 pending`: states without an instance are left out. */
export function countsText(instances: readonly { readonly state: string }[]): string {
  const counts = new Map<string, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  const each = STATES.filter((state) => counts.has(state)).map((state) => `${counts.get(state)} ${state}`);
  return [`${instances.length} instance${instances.length === 1 ? '' : 's'}`, ...each].join(', ');
}
