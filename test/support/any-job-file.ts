import fc from 'fast-check';

/** Job files with every field, and text of every kind that a writer of YAML may stumble over. */

const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined, freq: 2 });
const size = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('K', 'M', 'G', 'KiB', 'b'))
  .map(([n, unit]) => `${n}${unit}`);
const duration = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h', 'ms'))
  .map(([n, unit]) => `${n}${unit}`);
const part = fc.constantFrom('5%', '12.5%', '100%', 0.2, 1, '0.75');
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => text.isWellFormed() && !text.includes('\0'));
const tricky = fc.constantFrom(
  'yes',
  'no',
  'null',
  '~',
  '1e3',
  '0x1F',
  '007',
  ' a ',
  'a: b',
  '# x',
  '- y',
  '{z}',
  '[',
  '*a',
  '&b',
  '!c',
  '%d',
  '@e',
  'line\nline\n',
  '\ttab',
  'é\u0085\u2028',
  '\r\n',
  '$',
  '$${x}',
  '"',
  "'",
  '\\',
  '\u0001',
  '😀',
  'x'.repeat(300),
  'a b '.repeat(60),
);
const text = fc.oneof(word, tricky).filter((one) => !one.replaceAll('$${', '').includes('${'));
const short = text.map((one) => one.slice(0, 99)).filter((one) => one.isWellFormed());
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/).filter((one) => one !== '__proto__');
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) =>
    JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'p').replaceAll('-0', '0').replaceAll('${', '$')),
  );
const secret = fc.oneof(
  name.map((env) => ({ env })),
  word.map((file) => ({ file })),
);
const file = word.map((one) => `./${one.replaceAll('#', '').replaceAll('${', '')}.ts#run`);

const retries = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }),
  fc.record(
    {
      max: fc.integer({ min: 1, max: 10 }),
      delay: duration,
      backoff: fc.constantFrom('fixed', 'exponential'),
      jitter: part,
      max_delay: fc.constant('1000h'),
      retry_on: fc.constantFrom('oom', '1,75', ['1-3', 'SIGKILL'], 75),
      no_retry_on: fc.constant(2),
    },
    { requiredKeys: ['max', 'delay'] },
  ),
);
const compute = fc.record(
  {
    concurrency: fc.integer({ min: 1, max: 100 }),
    cpus: fc.constantFrom(0.5, 1, 64),
    memory: size,
    gpus: fc.constantFrom(0, 0.25, 2),
    resources: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,8}$/), fc.constantFrom(0, 0.5, 12)),
    exclusive: fc.boolean(),
    time_limit: fc.constantFrom('2h', '1h30m', '100d'),
    grace: fc.constantFrom('0', '1s', '1h'),
    retries,
    crash_limit: fc.integer({ min: 1, max: 1_000 }),
    max_failures: fc.integer({ min: 0, max: 99 }),
    min_success: fc.constantFrom('95%', 0.5, 1),
    heartbeat_timeout: duration,
    speculation: fc.oneof(
      fc.constant(true),
      fc.record({ after: part, times: fc.constantFrom(1, 2.5), at_least: duration }, { requiredKeys: [] }),
    ),
    pack: fc.nat(100),
    priority: fc.integer({ min: -5, max: 5 }),
    canary: fc.nat(5),
  },
  { requiredKeys: [] },
);
const from = fc.oneof(
  word.map((one) => `data/${one.replaceAll('${', '')}.csv`),
  fc.array(fc.constantFrom('a.csv', 's3://b/*.csv', 'https://x/y.csv'), { minLength: 1, maxLength: 3 }),
);
const input = fc.oneof(
  from,
  fc.record(
    {
      type: fc.constantFrom('csv', 'jsonl'),
      from,
      exclude: fc.constantFrom('tmp/*', ['x', 'y']),
      cut: fc.constantFrom(
        { rows: 10 },
        { bytes: '64M' },
        { bytes: 7 },
        { tasks: 8 },
        { files: 2 },
        { group: 'région' },
      ),
      encoding: fc.constantFrom('utf-8', 'latin1'),
      bad: fc.constantFrom('skip', { to: 'bad.txt' }, { to: 'b', max: 3 }),
    },
    { requiredKeys: ['type', 'from'] },
  ),
  fc.record({
    type: fc.constant('csv'),
    from: fc.constant('a.csv'),
    delimiter: fc.constantFrom(';', '\t'),
    quote: fc.constant("'"),
    header: fc.boolean(),
    uneven: fc.constant('keep'),
  }),
  fc.record({
    type: fc.constant('json'),
    from: fc.constant('s3://b/a.json'),
    at: fc.constant('data.items'),
    s3: fc.record(
      {
        endpoint: fc.constant('http://h:1'),
        region: word,
        path_style: fc.boolean(),
        access_key_id: secret,
        secret_access_key: secret,
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    type: fc.constant('binary'),
    from: fc.constant('x.bin'),
    record_bytes: fc.constantFrom(100, '4K'),
    overlap_bytes: fc.constantFrom(0, 8, '1M'),
    cut: fc.constant({ rows: 3 }),
  }),
  fc.record({ type: fc.constant('list'), items: fc.array(json, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    type: fc.constant('range'),
    first: fc.constantFrom(0, 1.5),
    last: fc.constantFrom(10, 99.5),
    step: fc.constantFrom(1, 0.25),
  }),
  fc.record({ type: fc.constantFrom('./in.ts', '../x/in.mjs'), options: json }),
  fc.record({ type: fc.constant('job'), job: fc.integer({ min: 1, max: 99 }), as: fc.constantFrom('same', 'results') }),
);
const output = fc.oneof(
  word.map((one) => `out/${one.replaceAll('${', '')}`),
  fc.record({
    to: fc.constant('out'),
    collect: fc.constant('stdout'),
    name: fc.constant('{index:03}.txt'),
    aggregate: fc.constantFrom(
      'concat',
      'csv',
      { command: 'sort | uniq -c > "${X}"' },
      { handler: './a.ts' },
      { handler: './a.ts#sum' },
    ),
    aggregate_to: short.map((one) => `${one}.{batch}`),
    aggregate_by: fc.constantFrom('job', 'batch'),
    manifest: short,
  }),
);
const rule = fc.oneof(
  fc.record({
    email: fc.constantFrom('ada@example.org', ['a@b.c', 'd@e.f']),
    on: fc.constantFrom('failed', ['failed', 'completed']),
  }),
  fc.record({
    slack: secret,
    on: fc.constant('threshold'),
    threshold: fc.constantFrom({ failures: 3 }, { failed: '10%' }, { progress: 0.5 }),
  }),
  fc.record({
    webhook: fc.oneof(secret, fc.constant('https://example.org/hook')),
    secret,
    on: fc.constant('long_running'),
    long_running: fc.constant('2h'),
  }),
  fc.record({
    command: fc.array(text, { minLength: 1, maxLength: 3 }).filter((all) => all.every((one) => !/\p{Cc}/u.test(one))),
    time_limit: fc.constantFrom('10s', '60s'),
    on: fc.constant('ended'),
    max_per_hour: fc.constantFrom(5, 60),
  }),
  fc.record({ event: fc.constant(true), on: fc.constant('start') }),
);
const run = fc.oneof(
  fc.record({
    command: fc.oneof(
      text.filter((one) => one !== ''),
      fc.array(text, { minLength: 1, maxLength: 4 }),
    ),
  }),
  fc.record({
    script: fc.record({ name: short, text: text.map((one) => `#!/bin/sh\n${one}`) }),
    args: fc.array(text, { maxLength: 2 }),
  }),
  fc.record({ handler: file }),
);
const files = fc
  .record(
    {
      stdin: fc.constant('in/%a.txt'),
      stdout: fc.constant('/o/%4a.txt'),
      stderr: fc.constant('/e'),
      open_mode: fc.constant('append'),
      cwd: fc.constant('/work'),
      umask: fc.constantFrom('027', '0022'),
    },
    { requiredKeys: [] },
  )
  .filter(({ stdout, stderr, open_mode }) => open_mode === undefined || stdout !== undefined || stderr !== undefined);
const advanced = fc.record(
  {
    hold: fc.boolean(),
    begin: fc.constantFrom('now+1h', '2027-01-31T18:00Z'),
    deadline: fc.constantFrom('now+2h', '2028-01-31'),
    unsatisfiable: fc.constantFrom('skip', 'wait'),
    log_limit: fc.constantFrom('64M', '1G', '7b'),
  },
  { requiredKeys: [] },
);
/** What a user may write, as plain values. */
export const anyJobFile = fc
  .record({
    name: maybe(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)),
    description: maybe(text),
    after: maybe(fc.constantFrom('afterok:12', ['afterok:12', 'aftercorr:fit'], { afterok: [3, 'x'], afterany: 4 })),
    env: maybe(fc.dictionary(name, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3 })),
    secrets: maybe(
      fc.dictionary(
        name.map((one) => `S_${one}`.slice(0, 60)),
        secret,
        { maxKeys: 2 },
      ),
    ),
    params: maybe(fc.dictionary(name, json, { maxKeys: 3 })),
    tasks: fc.oneof(
      fc.record({ array: maybe(fc.constantFrom(1, 10, '0-99:2', '7', '3-3', '1,5,9')) }),
      fc.record({ input }),
    ),
    algorithm: fc.tuple(run, files).map((both) => Object.assign({}, ...both)),
    compute: maybe(compute),
    output: maybe(output),
    notification: maybe(fc.array(rule, { minLength: 1, maxLength: 3 })),
    advanced: maybe(advanced),
  })
  .map(({ tasks, ...rest }) => JSON.parse(JSON.stringify({ ...rest, ...tasks })) as Record<string, unknown>);
