import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from './registry.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const commands = page('commands');

test.each(COMMANDS)('the documentation of $name names every option and no other', async ({ name, load }) => {
  const { options } = await load();
  const text =
    name === 'submit'
      ? page('submit')
      : commands
          .split('\n')
          .filter((line) => line.includes(`\`spawn ${name} `))
          .join('\n');
  const named = new Set([...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map((match) => match[1]!));
  const everywhere = ['format', 'help'];
  const others = new Set(name === 'submit' ? ['throttle'] : everywhere);
  expect([...named].filter((option) => !Object.hasOwn(options, option) && !others.has(option))).toEqual([]);
  const wanted = Object.keys(options).filter((option) => name === 'submit' || !everywhere.includes(option));
  // What hold says, release says too.
  if (name !== 'release') expect(wanted.filter((option) => !named.has(option))).toEqual([]);
});
