// Writes the table of routes in docs/api.md from the OpenAPI document that the server serves. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from '../src/server/server.ts';
import { FakeUseCases } from '../test/support/fake-use-cases.ts';

const page = new URL('../docs/api.md', import.meta.url);
const server = await createServer(new FakeUseCases(), { version: '0.0.0' });
const { paths } = (await server.inject({ url: '/v1/openapi.json' })).json();
await server.close();

const rows = [
  ['Method', 'Path', 'Client', 'Does'],
  ...Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary }]) => [
      `\`${method.toUpperCase()}\``,
      `\`${path}\``,
      `\`${operationId}\``,
      summary,
    ]),
  ),
];
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
const table = [line(rows[0]), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');

const text = readFileSync(page, 'utf8');
const from = text.indexOf('| Method');
const to = text.indexOf('\n\n', from);
writeFileSync(page, text.slice(0, from) + table + text.slice(to));
