import { InputSpec } from '../../src/api/data.ts';
import type { JobForWorker } from '../../src/api/session.ts';
import { planJob } from '../../src/worker/parts/plan-job.ts';
import type { ScriptedCoordinator } from './scripted-coordinator.ts';

/** Plans an input as a planning task does, keeps the plan with the coordinator, and gives what a job says of it. */
export async function plannedInput(
  coordinator: ScriptedCoordinator,
  given: unknown,
  cwd: string,
): Promise<Pick<JobForWorker, 'input' | 'plan' | 'indices' | 'size'>> {
  const input = InputSpec.parse(given);
  const sink = { put: async (bytes: Uint8Array) => (await coordinator.putBlob('plan', bytes)).hash };
  const { hash, manifest } = await planJob({ input, cwd, sink, signal: new AbortController().signal });
  return { input, plan: hash, indices: `0-${manifest.parts - 1}`, size: manifest.parts };
}
