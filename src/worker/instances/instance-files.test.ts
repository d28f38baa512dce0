import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { environmentText, profileText } from './instance-files.ts';

test.each(['plain', "a b's", '"q" $x `y` ;&|*', 'ü\n日本'])(
  'a login reads its profile in a directory named %j',
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'spawn-profile-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const at = join(folder, name);
    mkdirSync(at);
    writeFileSync(join(at, 'environment'), environmentText(new Map([['VALUE', "it's $HOME"]])));
    const places = { isOwn: false, etc: at, run: at, tmp: at, log: at, bin: at };
    writeFileSync(join(folder, 'profile'), profileText(places));
    // Twice: the second time the PATH has it already.
    const script = '. "$0"; . "$0"; printf "%s %s" "$VALUE" "$PATH"; env | grep -c ^VALUE=';
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script, join(folder, 'profile')], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    expect({ stdout, stderr }).toEqual({ stdout: `it's $HOME ${at}:/usr/bin:/bin1\n`, stderr: '' });
  },
);
