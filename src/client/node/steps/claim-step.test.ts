import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { awaitTurn, claimStep } from './claim-step.ts';
import { livePath, liveSteps, makeStepFolder } from './step-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claims-'));
  makeStepFolder(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('numbers count from 0 and are never given again', () => {
  const first = claimStep(folder, {}, [4]);
  const second = claimStep(folder, {}, [4]);
  first.release();
  const third = claimStep(folder, {}, [4]);
  expect([first.step, second.step, third.step]).toEqual([0, 1, 2]);
  expect([...liveSteps(folder).keys()].toSorted()).toEqual([1, 2]);
});

test('older steps go first, and one that shares takes nothing from anybody', async () => {
  const wide = claimStep(folder, { 0: 3, 1: 1 }, [4, 4]);
  const narrow = claimStep(folder, { 0: 1 }, [4, 4]);
  const late = claimStep(folder, { 0: 1 }, [4, 4]);
  const elsewhere = claimStep(folder, { 1: 3 }, [4, 4]);
  const shared = claimStep(folder, {}, [4, 4]);
  const free = () => [wide, narrow, late, elsewhere, shared].map((claim) => claim.isFree());
  expect(free()).toEqual([true, true, false, true, true]);
  const turn = awaitTurn(late, new AbortController().signal);
  wide.release();
  expect(await turn).toBe(true);
  expect(free().slice(1)).toEqual([true, true, true, true]);
});

test('whoever waits can be stopped', async () => {
  claimStep(folder, { 0: 1 }, [1]);
  const stop = new AbortController();
  const turn = awaitTurn(claimStep(folder, { 0: 1 }, [1]), stop.signal);
  stop.abort();
  expect(await turn).toBe(false);
});

test('a step whose process was killed holds nothing, and neither does what is no record', () => {
  const gone = { owner: { pid: 2 ** 22 + 1, startTicks: 1, bootId: 'x' }, cpus: { 0: 4 }, ranks: [] };
  writeFileSync(livePath(folder, 0), JSON.stringify(gone));
  writeFileSync(livePath(folder, 1), 'garbage');
  writeFileSync(livePath(folder, 2), '{"owner":{"pid":-1},"ranks":[]}');
  const claim = claimStep(folder, { 0: 4 }, [4]);
  expect([claim.step, claim.isFree()]).toEqual([3, true]);
});

test('many processes at once get numbers of their own', async () => {
  const program = `import { claimStep } from ${JSON.stringify(fileURLToPath(new URL('./claim-step.ts', import.meta.url)))};
    for (let i = 0; i < 25; i += 1) { const { step, release } = claimStep(${JSON.stringify(folder)}, { 0: 1 }, [4]); console.log(step); release(); }`;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const texts = await Promise.all(
    children.map(async (child) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      await once(child, 'close');
      return text;
    }),
  );
  const numbers = texts.join('').trim().split('\n').map(Number);
  expect(new Set(numbers).size).toBe(100);
  expect(readdirSync(join(folder, 'live'))).toEqual([]);
  expect(readdirSync(join(folder, 'numbers')).length).toBe(100);
});
