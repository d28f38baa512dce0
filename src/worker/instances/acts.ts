import type { Decision } from '../../core/instance-lifecycle.ts';
import { MACHINE_GRACE_MS, MOST_END_MS } from './end-times.ts';
import { paidTime } from './paid-time.ts';
import type { ServedInstance } from './served-instance.ts';

/** What has given its completion signal gets so long to come to its own end. */
const COMPLETED_MS = 30_000;
/** Reasons for which its task is to run again, on another machine. */
const TASK_GOES_ON: ReadonlySet<string> = new Set(['interrupted', 'replaced']);

/** Does what was decided, from its first to its last step. Rejects when it could not be done. */
export async function carryOut(instance: ServedInstance, { act, reason }: Decision): Promise<void> {
  const { life } = instance;
  if (act !== 'nothing') life.reason = reason ?? life.reason;
  switch (act) {
    case 'nothing':
      return prepareEnd(instance, paidTime(instance));
    case 'thaw':
      return thaw(instance);
    case 'hibernate':
      return hibernate(instance);
    case 'stop':
      return end(instance, 'stop');
    case 'terminate':
      return end(instance, 'terminate');
  }
}

async function hibernate(instance: ServedInstance): Promise<void> {
  const { life, machine } = instance;
  const leftMs = paidTime(instance);
  await prepareEnd(instance, leftMs);
  if (life.reason === 'completed') await instance.sessions.settled(Math.min(COMPLETED_MS, leftMs()));
  instance.log(`hibernates: ${life.reason}`);
  if (life.reason === 'completed' || life.reason === 'idle') life.restsByItself();
  instance.knownForker?.park();
  life.setRuns(false);
  life.state = 'hibernated';
  life.stoodStillFrom();
  instance.hasPreStopped = false;
  // Remembered first: what is frozen and not known to be would never be thawed.
  await instance.remember();
  try {
    await machine.freeze();
  } catch (error) {
    instance.log(`cannot be frozen, is stopped instead: ${(error as Error).message}`);
    life.state = 'running';
    life.setRuns(true);
    instance.knownForker?.unpark(0);
    return end(instance, 'stop');
  }
  instance.changed();
}

async function thaw(instance: ServedInstance): Promise<void> {
  const { life, machine } = instance;
  const forker = instance.knownForker;
  // Said before it is done: that it still rests, and has heard that it shall run, would mean that it rests by its own decision.
  const { reason } = life;
  life.state = 'running';
  life.reason = undefined;
  life.message = undefined;
  forker?.unpark(life.stoodStillMs());
  try {
    await machine.thaw();
  } catch (error) {
    life.state = 'hibernated';
    life.reason = reason;
    life.stoodStillFrom();
    forker?.park();
    throw error;
  }
  life.setRuns(true);
  instance.log('goes on');
  instance.changed();
}

async function end(instance: ServedInstance, how: 'stop' | 'terminate'): Promise<void> {
  const { life, machine } = instance;
  const wasFrozen = life.state === 'hibernated';
  instance.log(`${how === 'stop' ? 'stops' : 'ends'}: ${life.reason}`);
  life.state = how === 'stop' ? 'stopping' : 'shutting-down';
  if (life.reason === 'completed' || life.reason === 'idle') life.restsByItself();
  instance.changed();
  const leftMs = paidTime(instance);
  if (wasFrozen) await wake(instance);
  else await prepareEnd(instance, leftMs);
  instance.setDeadline(COMPLETED_MS + MOST_END_MS + MACHINE_GRACE_MS);
  if (life.reason === 'completed') await instance.sessions.settled(Math.min(COMPLETED_MS, leftMs()));
  const goesOn = how === 'stop' || TASK_GOES_ON.has(life.reason ?? '');
  await instance.sessions.endAttempts(goesOn ? 'shutdown' : 'cancel', Math.min(MOST_END_MS, leftMs()));
  // It may have been told to end for good meanwhile.
  const last = instance.life.directive?.wanted === 'terminated' ? 'terminate' : how;
  if (last !== how) life.reason = life.directive?.reason ?? 'user';
  const graceMs = Math.min(MACHINE_GRACE_MS, leftMs());
  if (last === 'terminate') await machine.terminate(graceMs);
  else await machine.stop(graceMs);
  life.setRuns(false);
  life.state = last === 'terminate' ? 'terminated' : 'stopped';
  instance.log(life.state);
  void instance.leave();
}

/** What is frozen cannot end. Its pre-stop command ran before it was frozen. */
async function wake(instance: ServedInstance): Promise<void> {
  const { life } = instance;
  instance.knownForker?.unpark(life.stoodStillMs());
  await instance.machine.thaw().catch((error: Error) => instance.log(`cannot be thawed: ${error.message}`));
}

/** The pre-stop command: once before each rest or end, for as long as it may take; how it went stops nothing. */
async function prepareEnd(instance: ServedInstance, leftMs: () => number): Promise<void> {
  const { life, machine } = instance;
  const { preStop } = life;
  if (preStop === undefined || instance.hasPreStopped) return;
  instance.hasPreStopped = true;
  // Behind an interruption nothing runs any more; what is paid for is also for what the task needs to end.
  const paidMs = leftMs() - (life.endMs - preStop.timeoutMs);
  const timeoutMs = Math.max(
    1_000,
    Math.min(preStop.timeoutMs, life.interruptInMs ?? Number.POSITIVE_INFINITY, paidMs),
  );
  instance.setDeadline(timeoutMs + MOST_END_MS + MACHINE_GRACE_MS);
  const said = await machine.run(preStop.command, timeoutMs).then(
    ({ code, output }) =>
      code === 0 ? undefined : `pre-stop: exit ${code ?? 'by its time limit'}: ${output.slice(-2_048)}`,
    (error: Error) => `pre-stop: ${error.message}`,
  );
  if (said === undefined) return;
  life.message = said;
  instance.log(said);
}
