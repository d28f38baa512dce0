import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OwnInstances } from '../support/instances.ts';
import { hasProgram, requireOr } from '../support/require.ts';

const builtSpawn = fileURLToPath(new URL('../../dist/bin/spawn.js', import.meta.url));

/** What the tutorial watches an array with, as it stands there but for the id of the array. */
describe('an array with members running, stopped and terminated', () => {
  let own: OwnInstances;
  let id: string;

  beforeAll(async () => {
    own = new OwnInstances();
    mkdirSync(join(own.folder, 'bin'));
    const command = join(own.folder, 'bin', 'spawn');
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${builtSpawn}' "$@"\n`);
    chmodSync(command, 0o755);
    // Two end at once, and their machines with them.
    const work = '[ "$JOB_ARRAY_INDEX" -lt 2 ] || sleep 600';
    await own.ok('launch', '--array', '5', '--name', 'seen', '--on-complete', 'terminate', '--command', work);
    const [first] = await own.reached('seen', 'terminated', 2);
    id = first!.job_array_id;
    await own.ok('stop', 'seen-4');
    await own.reached('seen', 'stopped', 1);
    await own.reached('seen', 'running', 2);
  }, 120_000);
  afterAll(() => own.close());

  /** Runs a program that never ends until it has printed what is looked for. */
  async function printed(line: RegExp, ...argv: [string, ...string[]]): Promise<string> {
    const [program, ...args] = argv;
    const env = { ...own.env, PATH: `${join(own.folder, 'bin')}:${own.env.PATH}`, TERM: 'xterm' };
    const child = spawn(program, args, { cwd: own.folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    try {
      for await (const chunk of child.stdout) {
        text += String(chunk);
        if (line.test(text)) break;
      }
    } finally {
      process.kill(-child.pid!, 'SIGKILL');
    }
    return text;
  }

  test('monitor.sh counts them', async () => {
    const text = await printed(/^Progress: .*\n/m, './monitor.sh', id);
    // Behind the codes with which `clear` begins.
    expect(text.slice(text.indexOf('Job Array'))).toBe(
      `Job Array: ${id}
================================
Total:      5
Running:    2
Stopped:    1
Terminated: 2

Progress: 2 / 5 (40%)
`,
    );
  });

  requireOr('watch and script', hasProgram('watch') && hasProgram('script'))(
    'the lines for watch count them',
    async () => {
      const running = `watch -n 10 'echo "Running: $(spawn list --tag array:id=${id} --state running | wc -l)/100"'`;
      expect(await printed(/Running: \d+\/100/, 'script', '-qfec', running, '/dev/null')).toContain('Running: 2/100');
      const listing = "watch -n 5 'spawn list --job-array-name seen'";
      const text = await printed(/seen-4/, 'script', '-qfec', listing, '/dev/null');
      for (const name of ['seen-0', 'seen-1', 'seen-2', 'seen-3']) expect(text).toContain(name);
    },
  );

  test('nothing is printed of what is not there, so nothing is counted', async () => {
    expect(await own.ok('list', '--tag', `array:id=${id}`, '--state', 'hibernated')).toBe('');
    expect(await own.ok('list', '--tag', 'array:id=nothing-20260127-103000')).toBe('');
    const ids = await own.ok('list', '--tag', `array:id=${id}`, '--state', 'terminated');
    expect(ids.trimEnd().split('\n')).toHaveLength(2);
  });

  requireOr('jq', hasProgram('jq'))('the array id comes out of the list by its name', async () => {
    const found = "spawn list --job-array-name seen -o json | jq -r '.[0].job_array_id'";
    expect(await printed(/\n/, 'sh', '-c', `${found}; sleep 60`)).toBe(`${id}\n`);
  });
});
