/** Job files to begin with. Each of them is valid as it stands, and each runs when the names of files in it are those of real ones. */
export interface BuiltInTemplate {
  readonly name: string;
  readonly summary: string;
  readonly text: string;
}

/** The first lines of a new file. */
export const HEAD = `# A job of spawn. Check it: spawn validate FILE   submit it: spawn submit FILE   run it to its end: spawn run FILE
# Every field is described in docs/job-files.md; spawn validate --schema prints a JSON Schema for editors.
`;

/** The rest of what people look for, switched off. */
const MORE = `
# secrets:                       # variables whose values are not written down
#   API_TOKEN: {env: API_TOKEN}

compute:
  cpus: 1
  # memory: 2G
  # gpus: 1
  # concurrency: 8               # so many tasks at once
  # time_limit: 2h               # of each attempt
  # retries: {max: 3, delay: 10s, backoff: exponential, jitter: 20%}
  # max_failures: 10             # then the rest is cancelled

# advanced:
#   begin: now+1h
#   deadline: now+12h
#   hold: true
`;

const ARRAY = `${HEAD}
name: numbers
description: One task for each number

array: 10%4                      # tasks 0 to 9, at most 4 at once; also 1-9, 0-99:2 or 1,3,7

env:
  GREETING: hello

algorithm:
  # For the shell. Each task finds its number in $TASK_ARRAY_INDEX; a list is a program with its arguments.
  command: echo "$GREETING from task $TASK_ARRAY_INDEX"
  # script: ./run.sh             # or a script, copied at submit
${MORE}`;

const SCRIPT = `${HEAD}
name: script
description: A script in the file itself

array: 3

algorithm:
  script: |
    #!/bin/sh
    set -eu
    echo "task $TASK_ARRAY_INDEX of $TASK_ARRAY_SIZE on $(uname -n)"
  # stdout: logs/%A_%a.out       # copies of the output, besides what spawn logs shows
${MORE}`;

const PARAMETERS = `${HEAD}
name: greet
description: "A job with parameters: spawn submit FILE --param who=you"

params:
  who: world
  times: 3

array: "\${times}"

algorithm:
  # A list is a program with its arguments: what stands for a parameter stays one argument, whatever is in it.
  command: [echo, "hello \${who}", "from \${env:USER:-nobody}"]
${MORE}`;

const SWEEP = `${HEAD}
name: sweep
description: One task for each combination of parameters

algorithm:
  # Each parameter is a variable of the task.
  command: echo "lr $PARAM_lr, depth $PARAM_depth"

advanced:
  matrix:
    lr: [0.1, 0.01, 0.001]
    depth: [2, 4]
  # sweep:                       # or each set by itself
  #   - {lr: 0.1, depth: 2}

compute:
  cpus: 1
  # concurrency: 4
`;

const CSV = `${HEAD}
name: rows
description: The rows of CSV files, 10,000 in each task

input:
  type: csv
  from: data/*.csv               # or a list; https://… and s3://bucket/prefix too
  cut: {rows: 10000}             # or bytes: 64M, tasks: 20, group: COLUMN
  # bad: skip                    # records that cannot be read; default: the plan fails

algorithm:
  # The part, with the header before it, is standard input.
  command: wc -l

output:
  to: out
  collect: stdout
  aggregate: concat
  # manifest: manifest.json
${MORE}`;

const HANDLER = `${HEAD}
name: words
description: A function of TypeScript for each part of some text files

input:
  type: text
  from: texts/*.txt
  cut: {bytes: 16M}

algorithm:
  handler: ./work.ts#count       # given { part, records(), params, checkpoint, progress, … }

output:
  to: out
  aggregate: merge-json
${MORE}`;

const STAGES = `${HEAD}
name: pipeline
description: Three jobs that wait for each other

env:                             # for all stages
  WORK: /tmp

advanced:
  stages:
    prepare:
      algorithm:
        command: echo prepare
    work:
      after: {afterok: prepare}
      array: 5
      algorithm:
        command: echo "part $TASK_ARRAY_INDEX"
      compute: {retries: 2}
    collect:
      after: {afterok: work}
      algorithm:
        command: echo collect
`;

export const BUILT_IN_TEMPLATES: readonly BuiltInTemplate[] = [
  { name: 'array', summary: 'One task for each number', text: ARRAY },
  { name: 'csv', summary: 'The rows of CSV files, so many in each task', text: CSV },
  { name: 'handler', summary: 'A function of TypeScript for each part of text files', text: HANDLER },
  { name: 'parameters', summary: 'Parameters that the command line can set', text: PARAMETERS },
  { name: 'script', summary: 'A script in the file itself', text: SCRIPT },
  { name: 'stages', summary: 'Jobs that wait for each other', text: STAGES },
  { name: 'sweep', summary: 'One task for each combination of parameters', text: SWEEP },
];
