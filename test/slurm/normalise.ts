import { hostname } from 'node:os';
import type { Scenario, Transcript } from './scenario.ts';

/** What a run leaves that another run would leave otherwise. */
export interface Marks {
  /** Numbers of jobs in the order in which they were submitted. */
  readonly ids: readonly string[];
  /** The scenario's directory. */
  readonly folder: string;
  /** User as whom the commands ran; shown as `root`, which has as many letters, so that tables stay as wide. */
  readonly user: string;
  readonly uid: number;
}

/** First number of a job on both sides: so many digits that it looks like nothing else, and the same width in tables. */
export const FIRST_JOB = 4001;

const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A transcript without what differs from run to run: numbers of jobs, points in time, paths, names of host and user. */
export function normalise(text: string, marks: Marks, scenario: Scenario): Transcript {
  const host = hostname();
  let result = text.replaceAll(marks.folder, '/W');
  for (const [i, id] of [...new Set(marks.ids)].entries()) {
    result = result.replaceAll(
      new RegExp(`(?<!\\d|\\d[:.])${literal(id)}(?!\\d)`, 'g'),
      `J${String(i + 1).padStart(3, '0')}`,
    );
  }
  result = result
    // Debian calls it so; others print `slurm 22.05.8`.
    .replaceAll('slurm-wlm 22.', 'slurm 22.')
    .replaceAll(/Submitted batch job \d+/g, 'Submitted batch job N')
    .replaceAll(/(?<![\w/])(4[01]\d\d|100\d{7})(?=[\s|,;]|$)/gm, 'RAW')
    .replaceAll(/JobId=\S+ ArrayJobId=/g, 'JobId=RAW ArrayJobId=')
    .replaceAll(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\b/g, 'YYYY-MM-DDThh:mm:ss');
  if (marks.user !== 'root') {
    result = result
      .replaceAll(new RegExp(`\\b${marks.user}\\b`, 'g'), 'root')
      .replaceAll(`root(${marks.uid})`, 'root(0)')
      .replaceAll(`CANCELLED by ${marks.uid}`, 'CANCELLED by 0');
  }
  result = result.replaceAll(new RegExp(`(?<![\\w.-])${literal(host)}(?![\\w-])`, 'g'), 'HOST');
  return result
    .split('\n')
    .filter((line) => !NOISE.test(line))
    .flatMap(replaceIn(scenario))
    .join('\n');
}

/** What Slurm's srun says only when it has to wait. */
const NOISE =
  /^(! )?srun: (job \S+ (queued and waiting|has been allocated)|Job \S+ step creation temporarily|Step created for|cluster configuration lacks)/;

/** Applies the rules of a scenario to lines of answers; a line of which nothing is left goes. */
function replaceIn({ normalise }: Scenario): (line: string) => readonly string[] {
  return (line) => {
    if (line === '' || line.startsWith('$ ')) return [line];
    const left = normalise.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line);
    return left === '' ? [] : [left];
  };
}

/** The transcript that is wanted of spawn, given the real one: the same, but for the differences that the scenario names. */
export function wanted(real: Transcript, { id, differences }: Scenario): Transcript {
  return differences.reduce((text, difference) => {
    const at = `\n${text}`.indexOf(`\n${difference.real}\n`);
    if (at < 0)
      throw new Error(
        `${id}: Slurm does not say (any more) what ${difference.id} is about:\n${difference.real}\nbut:\n${text}`,
      );
    const after = text.slice(at + difference.real.length + 1);
    return `${text.slice(0, at)}${difference.spawn === '' ? '' : `${difference.spawn}\n`}${after}`;
  }, real);
}
