import type { InstanceState, InstanceVerb, InstanceVerbReply, InstanceView } from '../../api/instance.ts';
import type { Colour } from './color.ts';
import { counted, shownCount, shownDuration } from './format.ts';
import { secondsOf } from './instance-json.ts';
import { colourOfInstance } from './instance-states.ts';
import type { Column } from './table.ts';

type Member = InstanceVerbReply['members'][number];

/** What became of one member: `waiting` until its agent answers, `refused` when it could not be. */
type Result = 'done' | 'unchanged' | 'refused' | 'waiting';

export interface ReportRow {
  readonly member: Member;
  /** As it was; undefined: it is new. */
  readonly before: InstanceView | undefined;
  readonly result: Result;
}

/** In these states there is nothing more to do. */
const SATISFIED: Readonly<Record<InstanceVerb, readonly InstanceState[]>> = {
  stop: ['stopping', 'stopped'],
  hibernate: ['hibernated'],
  start: ['pending', 'running'],
  terminate: ['shutting-down', 'terminated'],
  interrupt: [],
  extend: [],
  replace: [],
};

/** Where a verb leads in the end; the others are done at once. */
const LEADS_TO: Partial<Record<InstanceVerb, InstanceState>> = {
  stop: 'stopped',
  hibernate: 'hibernated',
  start: 'running',
  terminate: 'terminated',
};

export function reportRows(
  verb: InstanceVerb,
  members: readonly Member[],
  before: readonly InstanceView[],
): readonly ReportRow[] {
  const byId = new Map(before.map((instance) => [instance.id, instance]));
  return members.map((member) => {
    const arrived = member.acknowledged || member.state === LEADS_TO[verb];
    const done: Result = arrived ? 'done' : 'waiting';
    const left: Result = SATISFIED[verb].includes(member.state) ? 'unchanged' : leftOf(member);
    return { member, before: byId.get(member.id), result: member.changed ? done : left };
  });
}

/** What is refused says why; else it was asked for before, and is on its way. */
function leftOf({ note, acknowledged }: Member): Result {
  if (note !== undefined) return 'refused';
  return acknowledged ? 'unchanged' : 'waiting';
}

/** 0; 75 when an agent has not answered yet; 1 when something could not be done. */
export function reportExitCode(rows: readonly ReportRow[]): number {
  if (rows.some(({ result }) => result === 'refused')) return 1;
  return rows.some(({ result }) => result === 'waiting') ? 75 : 0;
}

const RESULT_TEXT: Readonly<Record<Result, string>> = {
  done: '',
  unchanged: 'nothing to do',
  refused: 'not possible',
  waiting: 'not acknowledged yet',
};
const RESULT_COLOUR: Readonly<Record<Result, Colour | undefined>> = {
  done: undefined,
  unchanged: 'dim',
  refused: 'red',
  waiting: 'yellow',
};

/** `running → stopped`; one state where nothing moved. */
function changeText({ member, before }: ReportRow): string {
  return before === undefined || before.state === member.state ? member.state : `${before.state} → ${member.state}`;
}

function ttlText({ member, before }: ReportRow): string {
  const shown = (ms: number | undefined): string => (ms === undefined ? 'none' : shownDuration(ms));
  return `${shown(before?.ttlLeftMs)} → ${shown(member.ttlLeftMs)}`;
}

/** For people. */
export function reportColumns(verb: InstanceVerb): readonly Column<ReportRow>[] {
  return [
    { title: 'NAME', value: ({ member }) => member.name },
    { title: 'ID', leave: 1, value: ({ member }) => member.id },
    verb === 'extend'
      ? { title: 'TTL LEFT', value: ttlText }
      : { title: 'STATE', value: changeText, colour: ({ member }) => colourOfInstance(member.state) },
    { title: 'NOTE', wrap: true, value: (row) => noteText(verb, row), colour: ({ result }) => RESULT_COLOUR[result] },
  ];
}

function noteText(verb: InstanceVerb, { member, before, result }: ReportRow): string {
  if (verb === 'extend' && result === 'unchanged' && before?.ttlLeftMs === undefined)
    return 'it has no TTL; --ttl gives it one';
  return [RESULT_TEXT[result], member.note ?? ''].filter((text) => text !== '').join(': ');
}

/** Through a pipe. Columns are only ever added at the end. */
export const PLAIN_REPORT: readonly Column<ReportRow>[] = [
  { title: 'name', value: ({ member }) => member.name },
  { title: 'id', value: ({ member }) => member.id },
  { title: 'before', value: ({ before }) => before?.state ?? '' },
  { title: 'state', value: ({ member }) => member.state },
  { title: 'result', value: ({ result }) => result },
  { title: 'note', value: ({ member }) => member.note ?? '' },
  { title: 'ttl before', value: ({ before }) => String(secondsOf(before?.ttlLeftMs) ?? '') },
  { title: 'ttl', value: ({ member }) => String(secondsOf(member.ttlLeftMs) ?? '') },
];

export function reportJson({ member, before, result }: ReportRow): object {
  return {
    instance_id: member.id,
    name: member.name,
    state_before: before?.state ?? null,
    state: member.state,
    result,
    changed: member.changed,
    acknowledged: member.acknowledged,
    note: member.note ?? null,
    ttl_remaining_seconds_before: secondsOf(before?.ttlLeftMs),
    ttl_remaining_seconds: secondsOf(member.ttlLeftMs),
  };
}

/** `7 instances stopped`, `6 instances stopped, 1 stopping`, `7 instances stopping`. */
function changedText(verb: InstanceVerb, rows: readonly ReportRow[], done: string): string {
  const end = LEADS_TO[verb];
  const counts = new Map([[done, 0]]);
  for (const { member } of rows) {
    if (!member.changed) continue;
    const word = end === undefined || member.state === end ? done : member.state;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  if (counts.size > 1 && counts.get(done) === 0) counts.delete(done);
  const [first, ...others] = counts;
  const texts = others.map(([word, count]) => `${shownCount(count)} ${word}`);
  return [`${counted(first![1], 'instance')} ${first![0]}`, ...texts].join(', ');
}

/** `7 instances stopped, 1 with nothing to do, 2 have not acknowledged it yet`. @param gone members that had been terminated before */
export function reportTotal(verb: InstanceVerb, rows: readonly ReportRow[], done: string, gone: number): string {
  const count = (result: Result): number => rows.filter((row) => row.result === result).length;
  const waiting = count('waiting');
  const others = [
    [count('unchanged'), 'with nothing to do'],
    [count('refused'), 'not possible'],
    [waiting, waiting === 1 ? 'has not acknowledged it yet' : 'have not acknowledged it yet'],
    [gone, 'terminated before'],
  ] as const;
  const more = others.filter(([number]) => number > 0).map(([number, text]) => `${shownCount(number)} ${text}`);
  return [changedText(verb, rows, done), ...more].join(', ');
}
