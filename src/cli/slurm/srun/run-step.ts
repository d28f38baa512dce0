import { awaitTurn, type Claim, claimStep } from '../../../client/node/steps/claim-step.ts';
import { makeStepFolder } from '../../../client/node/steps/step-folder.ts';
import { refuseLine } from '../../../config/slurm/refusal.ts';
import type { World } from '../../world.ts';
import type { Allocation } from './allocation.ts';
import { listenToSignals } from './interrupts.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import type { SrunRequest } from './read-request.ts';
import { StepRun } from './step-run.ts';

/** Runs a step in the task that this process is part of; gives the exit code. */
export async function runStep(request: SrunRequest, allocation: Allocation, world: World): Promise<number> {
  const plan = planned(request, allocation);
  const say = (line: string) => world.stderr.write(`${line}\n`);
  if (!request.quiet) for (const warning of plan.warnings) say(`srun: ${warning}`);
  makeStepFolder(allocation.folder);
  const stop = new AbortController();
  const unlisten = listenToSignals(true, {
    onFirst: () => stop.abort(),
    onSecond: () => stop.abort(),
    onEnd: () => stop.abort(),
    onPassed: () => {},
  });
  const claim = claimStep(
    allocation.folder,
    plan.cpus,
    allocation.nodes.map(({ cpus }) => cpus),
  );
  try {
    const mine = await waitForTurn(claim, request, allocation, say, stop);
    unlisten();
    return mine ? await new StepRun({ request, allocation, plan, claim, world }).run() : INTERRUPTED;
  } finally {
    unlisten();
    claim.release();
  }
}

const INTERRUPTED = 1;

function planned(request: SrunRequest, { job, nodes, isFirst }: Allocation): StepPlan {
  if (!isFirst) throw refuseLine(`Unable to create step for job ${job}: steps are started on its first node`, 1);
  const plan = planStep(nodes, request.shape);
  if ('error' in plan) throw refuseLine(plan.error, 1);
  if ('create' in plan) throw refuseLine(`Unable to create step for job ${job}: ${plan.create}`, 1);
  return plan;
}

async function waitForTurn(
  claim: Claim,
  { quiet, immediateMs }: SrunRequest,
  { job }: Allocation,
  say: (line: string) => void,
  stop: AbortController,
): Promise<boolean> {
  if (claim.isFree()) return true;
  if (!quiet) say(`srun: Job ${job} step creation temporarily disabled, retrying (Requested nodes are busy)`);
  const late = immediateMs === undefined ? undefined : setTimeout(() => stop.abort('late'), immediateMs);
  const came = await awaitTurn(claim, stop.signal);
  clearTimeout(late);
  if (came && !quiet) say(`srun: Step created for job ${job}`);
  if (stop.signal.reason === 'late') {
    throw refuseLine(`Unable to create step for job ${job}: Requested nodes are busy`, 1);
  }
  if (!came) say(`srun: Cancelled pending step for job ${job}`);
  return came;
}
