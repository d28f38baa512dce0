// Writes docs/errors.md from the one table of errors, so that the page cannot say anything else.
// `--check` writes nothing and fails when the page differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { ERRORS } from '../src/core/error-table.ts';

const page = new URL('../docs/errors.md', import.meta.url);

/** Stands for the facts of an error: each is shown as its name, so that a message reads as its pattern. */
const names = new Proxy(
  {},
  {
    get(_, name) {
      if (name === 'at') return 0;
      if (name === 'text') return '…';
      if (name === 'candidates' || name === 'jobs') return [`<${name}>`];
      return `<${String(name)}>`;
    },
  },
);

function row([code, { http, exit, message }]) {
  const [first, ...more] = message(names).split('\n');
  const text = first.replaceAll('"<', '<').replaceAll('>"', '>').replaceAll('`', "'").replaceAll('|', '\\|');
  return `| \`${code}\` | ${http} | ${exit} | \`${text}\`${more.length > 0 ? ' and, below it, the text with a caret' : ''} |`;
}

const text = `# Errors

<!-- Written by \`npm run docs:errors\` from src/core/error-table.ts; do not edit. -->

Every error of \`spawn\` has a code, which does not change between releases. A script looks at the code (\`-o json\`, or
\`code\` in the reply of the API), a person at the message. The code is the same on the command line, in the API and in the
reports of workers. A request that is refused changes nothing.

Exit code 2 means that the request itself is wrong; the others, 64 to 78, have the meanings of sysexits(3). A command that
waits for a job exits with the job's own code instead: see [states](states.md#exit-codes).

In the messages, \`<name>\` stands for a fact of the case.

| Code | HTTP | Exit | Message |
|---|---|---|---|
${Object.entries(ERRORS).map(row).join('\n')}
`;

if (process.argv.includes('--check')) {
  const found = readFileSync(page, 'utf8');
  if (found !== text) {
    console.error('docs/errors.md is not what src/core/error-table.ts says; run `npm run docs:errors`');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, text);
}
