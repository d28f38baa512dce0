import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { requireOr } from '../../../test/support/require.ts';
import { SCENARIOS } from '../../../test/support/sandbox-scenarios.ts';
import { makeSandboxWorld } from '../../../test/support/sandbox-world.ts';
import { nativeProgram } from './sandbox-programs.ts';

const NOBODY = 65_534;
const LIMIT_MS = 60_000;
const script = fileURLToPath(new URL('../../../test/support/run-sandbox-scenario.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

/** What the kernel allows, as this user or another. */
function allows(user?: { uid: number; gid: number }): boolean {
  const program = nativeProgram('instance');
  if (!existsSync(program)) return false;
  const { status, stdout } = spawnSync(program, ['probe'], { encoding: 'utf8', ...user });
  if (status !== 0) return false;
  const found = JSON.parse(stdout) as Record<string, { ok?: boolean }>;
  return ['namespaces', 'mount', 'processes'].every((name) => found[name]?.ok === true);
}

describe(isRoot ? 'a sandbox of root' : 'a sandbox of an ordinary user', () => {
  const each = requireOr('mount, process and name namespaces for this user', allows());
  for (const [name, play] of Object.entries(SCENARIOS)) {
    each(name, { timeout: LIMIT_MS }, async () => {
      const world = makeSandboxWorld();
      try {
        await play(world);
      } finally {
        await world.close();
      }
    });
  }
});

describe.runIf(isRoot)('a sandbox of an ordinary user, started by root as another one', () => {
  const user = { uid: NOBODY, gid: NOBODY };
  const each = requireOr('user namespaces for an ordinary user', isRoot && allows(user));
  for (const name of Object.keys(SCENARIOS)) {
    each(name, { timeout: LIMIT_MS }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'spawn-nobody-'));
      chmodSync(folder, 0o777);
      try {
        const { code, said } = await runAs(user, name, folder);
        expect(said + (code === 0 ? '' : ` (${code})`)).not.toMatch(/Error|\(\d+\)$/);
        expect(code).toBe(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});

function runAs(
  user: { uid: number; gid: number },
  name: string,
  folder: string,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, name], {
      ...user,
      cwd: '/',
      env: { PATH: process.env.PATH, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const take = (piece: string) => {
      said += piece;
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', reject);
    child.once('close', (code) => {
      if (/KiB/.test(said)) console.log(said.trim());
      resolve({ code, said });
    });
  });
}

test('every scenario has a name', () => {
  expect(Object.keys(SCENARIOS).length).toBeGreaterThan(15);
});
