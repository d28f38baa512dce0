import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readJobFile } from '../../src/config/job-file/read-job-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/job-files.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const [wrong = ''] = blocks.filter((text) => text.startsWith('# wrong.yaml'));

test('docs/job-files.md and docs/job-file.schema.json are what the contract says', () => {
  expect(() => execFileSync(process.execPath, [join(root, 'scripts/docs-job-files.mjs'), '--check'])).not.toThrow();
});

test.each(blocks.filter((text) => text !== wrong))('an example of the page is right: %#', (text) => {
  expect(() => readJobFile('job.yaml', text)).not.toThrow();
});

test('the wrong file of the page is told of as the page says', () => {
  const [, said] = /^\$ spawn validate wrong\.yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
  expect(() => readJobFile('wrong.yaml', wrong)).toThrow(said?.trimEnd() ?? 'nothing');
});
