import type { InstanceView } from '../../api/instance.ts';
import { counted, oneLine } from '../output/format.ts';
import type { NeverLaunched } from './never-launched.ts';

/** What came of a launch: whether enough members came up, and what to say of those that did not. */
export interface LaunchOutcome {
  readonly failed: boolean;
  readonly message: string | undefined;
}

const EXAMPLES = 3;

/** @param viable how many must run for the launch to be a success */
export function launchOutcome(
  name: string,
  size: number,
  viable: number,
  instances: readonly InstanceView[],
  never?: NeverLaunched,
): LaunchOutcome {
  if (never !== undefined) {
    const { count, why } = never;
    const failed = size - count < viable;
    const text = `${name}: ${count} of ${counted(size, 'instance')} could not be started: ${oneLine(why)}`;
    return { failed, message: `${failed ? 'launch failed' : 'note'}: ${text}` };
  }
  const not = instances.filter(({ reason }) => reason === 'launch-failed');
  const ended = instances.filter(({ reason }) => reason === 'array-failed');
  // Others may have been ended because a task failed (--fail-all-on-one): that is no matter of the launch.
  if (not.length === 0) return { failed: false, message: undefined };
  const failed = ended.length > 0 || size - not.length < viable;
  const said = not
    .slice(0, EXAMPLES)
    .map((instance) => `${instance.name} (${oneLine(instance.message ?? 'no reason known')})`);
  const more = not.length > EXAMPLES ? `, and ${not.length - EXAMPLES} more` : '';
  const parts = [
    `${not.length} of ${counted(size, 'instance')} could not be started: ${said.join(', ')}${more}`,
    ...(ended.length === 0 ? [] : [`${counted(ended.length, 'other')} terminated with it`]),
    ...(failed && ended.length === 0 ? ['the others were left as they are (--on-failure keep)'] : []),
    ...(failed ? [] : [`enough run (--min-viable ${viable})`]),
  ];
  return { failed, message: `${failed ? 'launch failed' : 'note'}: ${name}: ${parts.join('; ')}` };
}
