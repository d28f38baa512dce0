import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOutcome, outcomeText } from '../../src/core/outcome.ts';
import { type ScriptedCoordinator, scriptedJob } from './scripted-coordinator.ts';
import { until } from './until.ts';
import { workerOnScript } from './worker-on-script.ts';

const MODULE = `
  import { spawn } from 'node:child_process';
  import { appendFileSync, existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  export const quick = () => {};
  export const value = ({ index }) => ({ index });
  /** Notes its beginning, then waits until a file is there. */
  export const waits = async ({ position, signal }) => {
    appendFileSync('started', position + ' ' + process.pid + '\\n');
    while (!existsSync('go')) await sleep(5, undefined, { signal });
  };
  export const stubborn = ({ position }) => {
    appendFileSync('started', position + ' ' + process.pid + '\\n');
    const until = Date.now() + 20_000;
    while (Date.now() < until);
  };
  export const slow = async () => { await sleep(3); };
  export const leaks = () => { (globalThis.kept ??= []).push(Buffer.alloc(20_000_000, 1)); };
  export const params = ({ params }) => console.log(JSON.stringify(params));
  export const notFunction = 7;
  export const says = ({ position }) => { console.log('task ' + position); return position; };
  export const starts = () => {
    const child = spawn('sleep', ['100'], { detached: true, stdio: 'ignore' });
    appendFileSync('started', child.pid + '\\n');
    return new Promise(() => {});
  };
  export const asks = async ({ checkpoint, progress, log }) => {
    log(await checkpoint.get());
    await checkpoint.put({ at: 7 });
    log(await checkpoint.get());
    await checkpoint.put(Uint8Array.of(1, 2, 3));
    log(await checkpoint.get());
    progress(0.5, 'half');
    try { progress(2); } catch (error) { log(error.message); }
  };
`;

/** A worker under a scripted coordinator, with a module of handlers in its folder. */
export function handlersOnScript(changes = {}, of: Partial<ScriptedCoordinator> = {}) {
  const script = workerOnScript();
  Object.assign(script.coordinator, of);
  writeFileSync(join(script.folder, 'tasks.ts'), MODULE);
  script.start(changes);
  const { coordinator } = script;
  const submit = (name: string, more = {}, id = 1, module = './tasks.ts') => {
    const run = { kind: 'handler' as const, module, export: name };
    coordinator.send({ type: 'job', job: scriptedJob(id, '0-9999', { cwd: script.folder, ...more, run } as never) });
  };
  const started = () => script.read('started').split('\n').filter(Boolean);
  const how = (fence: number) => outcomeText(decodeOutcome(coordinator.endOf(fence)!.outcome));
  /** Makes it known that tasks of the job are short, so that many go to a host at once. */
  const warmUp = async (id = 1) => {
    const fence = coordinator.grant(id, 5_000, 200);
    await until('warm', () => coordinator.endOf(fence + 199));
    return coordinator.ends.length;
  };
  return { ...script, submit, started, how, warmUp };
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
