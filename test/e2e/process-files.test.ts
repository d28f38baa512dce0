import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type OwnHome, ownHome } from '../support/own-home.ts';
import { hasProgram, requireOr } from '../support/require.ts';

const dataFolder = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url));
const checker = fileURLToPath(new URL('./summarize-csv.py', import.meta.url));
const files = readdirSync(dataFolder).filter((name) => name.endsWith('.csv'));
const test = requireOr('python3', hasProgram('python3'));

describe('examples/process-files', () => {
  let home: OwnHome;
  let out: string;

  beforeAll(() => {
    home = ownHome();
    out = join(home.folder, 'out');
  });
  afterAll(() => home.close());

  test('summarises every file, and shows a table', () => {
    const result = home.run('examples/process-files/run.mjs', out);
    expect({ status: result.status, stderr: result.status === 0 ? '' : result.stderr }).toEqual({
      status: 0,
      stderr: '',
    });
    expect(readdirSync(out).toSorted()).toEqual(files.map((name) => `${name}.json`).toSorted());
    expect(result.stdout).toMatch(/^zipcodes\.csv +42049 +2 number, 4 text +0$/m);
    expect(result.stdout).toContain(`${files.length} summaries in ${out}`);
  });

  test('says of every file what an independent program says', () => {
    const checked = spawnSync('python3', [checker, ...files.map((name) => join(dataFolder, name))], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(checked.stderr).toBe('');
    const expected = JSON.parse(checked.stdout) as { file: string }[];
    expect(expected.map(({ file }) => file)).toEqual(files);
    for (const summary of expected) {
      expect(JSON.parse(readFileSync(join(out, `${summary.file}.json`), 'utf8'))).toEqual(summary);
    }
  });
});
