// Writes docs/job-file.schema.json and the tables of docs/job-files.md from the contract of job files, so that neither can say anything else.
// `--check` writes nothing and fails when one of them differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { jobFileSchema } from '../src/api/job-file-schema.ts';

const BEGIN = '<!-- Written by `npm run docs:job-files`; do not edit. -->';
const END = '<!-- End of what is written by `npm run docs:job-files`. -->';

const schema = jobFileSchema();
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
/** Without the form that stands for `${…}`, which every field takes. */
const forms = (json) => (json.anyOf ?? [json]).filter(({ pattern }) => pattern !== '\\$\\{');

function kindOf(json) {
  const words = forms(json).flatMap((form) => {
    if (form.anyOf !== undefined) return kindOf(form).split(' or ');
    if (form.enum !== undefined) return form.enum.map((value) => `\`${value}\``);
    if (form.const !== undefined) return [`\`${form.const}\``];
    const types = [form.type].flat();
    if (types.includes('object')) return ['mapping'];
    if (types.includes('array')) return ['list'];
    if (types.includes('string')) return ['text'];
    if (types.includes('integer')) return ['whole number'];
    if (types.includes('number')) return ['number'];
    return types.includes('boolean') ? ['true', 'false'] : ['any value'];
  });
  return [...new Set(words)].join(' or ');
}

function rowsOf(json, before) {
  return forms(json).flatMap((form) => {
    if (form.anyOf !== undefined) return rowsOf(form, before);
    if (form.type === 'array' && form.items !== undefined) return rowsOf(form.items, `${before}[]`);
    return Object.entries(form.properties ?? {}).flatMap(([key, field]) => {
      const name = `${before}.${key}`;
      const needed = (form.required ?? []).includes(key) ? ' (needed)' : '';
      const row = `| \`${name}\`${needed} | ${cell(kindOf(field))} | ${cell(field.description)} |`;
      // What stands in a stage is what stands beside them.
      return name === 'advanced.stages' ? [row, ...rowsOfStage(field, `${name}.NAME`)] : [row, ...rowsOf(field, name)];
    });
  });
}

/** What only a stage has. */
function rowsOfStage({ additionalProperties: stage }, before) {
  const { on_failure: field } = stage.properties.advanced.properties;
  return [`| \`${before}.advanced.on_failure\` | ${cell(kindOf(field))} | ${cell(field.description)} |`];
}

/** The forms of an input share most of their fields: each is told once, with the types that have it. */
function inputRows(json) {
  const types = json.anyOf.filter((form) => form.properties !== undefined);
  const nameOf = ({ properties }) => properties.type.const ?? 'module';
  const rows = types.map((form) => `| \`${nameOf(form)}\` | ${cell(form.properties.type.description)} |`);
  const fields = new Map();
  for (const form of types) {
    for (const [key, field] of Object.entries(form.properties)) {
      if (key === 'type') continue;
      const known = fields.get(key) ?? { field, types: [] };
      known.types.push(nameOf(form));
      fields.set(key, known);
    }
  }
  const all = [...fields].flatMap(([key, { field, types: having }]) => [
    `| \`input.${key}\` | ${cell(kindOf(field))} | ${cell(field.description)} | ${having.join(', ')} |`,
    ...rowsOf(field, `input.${key}`).map((row) => `${row} ${having.join(', ')} |`),
  ]);
  return [
    '| Type | What it is |',
    '|---|---|',
    ...rows,
    '',
    '| Field | What it takes | What it says | Types |',
    '|---|---|---|---|',
    ...all,
  ];
}

function reference() {
  const sections = Object.entries(schema.properties).filter(([key]) => key !== '$schema');
  const plain = sections.filter(
    ([key]) => !['input', 'algorithm', 'compute', 'output', 'notification', 'advanced'].includes(key),
  );
  const head = ['| Field | What it takes | What it says |', '|---|---|---|'];
  const parts = [
    [
      '### The job',
      ...head,
      ...plain.flatMap(([key, field]) => [
        `| \`${key}\` | ${cell(kindOf(field))} | ${cell(field.description)} |`,
        ...(key === 'after' ? rowsOf(field, key) : []),
      ]),
    ],
    ['### input', ...inputRows(schema.properties.input)],
    ...['algorithm', 'compute', 'output', 'notification', 'advanced'].map((key) => [
      `### ${key}`,
      ...head,
      ...rowsOf(schema.properties[key], key),
    ]),
  ];
  return parts.map(([title, ...lines]) => [title, '', ...lines].join('\n')).join('\n\n');
}

const schemaFile = new URL('../docs/job-file.schema.json', import.meta.url);
const page = new URL('../docs/job-files.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const from = text.indexOf(BEGIN);
const to = text.indexOf(END);
if (from < 0 || to < from) throw new Error('docs/job-files.md has no place for the tables');
const outputs = [
  [schemaFile, `${JSON.stringify(schema, null, 2)}\n`],
  [page, `${text.slice(0, from + BEGIN.length)}\n\n${reference()}\n\n${text.slice(to)}`],
];
for (const [file, content] of outputs) {
  if (!process.argv.includes('--check')) writeFileSync(file, content);
  else if (readFileSync(file, 'utf8') !== content) {
    console.error(
      `${file.pathname.split('/').slice(-2).join('/')} is not what src/api/job-file.ts says; run \`npm run docs:job-files\``,
    );
    process.exitCode = 1;
  }
}
