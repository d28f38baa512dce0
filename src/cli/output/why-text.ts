import type { Blocker, WhyReply } from '../../api/insight.ts';
import { colourOfState, painter } from './color.ts';
import { counted, isoTime, oneLine, shownDuration } from './format.ts';

/** What keeps a job or task from running, what decides first on top. @param now by this machine's clock */
export function whyText(why: WhyReply, now: number, colour: boolean): string {
  const paint = painter(colour);
  const state = why.task?.state ?? why.job.state;
  const what = why.task === undefined ? `Job ${why.job.id}: ${why.job.name}` : `Task ${why.task.id} of ${why.job.name}`;
  const heading = `${what} is ${paint(colourOfState(state), state)}\n`;
  if (why.blockers.length === 0) return `${heading}  nothing keeps it: it may start at any moment\n`;
  return heading + why.blockers.map((blocker) => blockerText(blocker, why.task !== undefined, now)).join('');
}

function blockerText(blocker: Blocker, single: boolean, now: number): string {
  const tasks = single || blocker.tasks === 0 ? '' : ` (${counted(blocker.tasks, 'task')})`;
  const until =
    blocker.untilAt === undefined ? [] : [`    until about ${isoTime(blocker.untilAt)}${left(blocker.untilAt, now)}`];
  const holders = blocker.holders.map(({ kind, id, text }) => `    ${kind} ${id}: ${oneLine(text)}`);
  return [`  ${oneLine(blocker.text)}${tasks}`, ...holders, ...until].map((line) => `${line}\n`).join('');
}

function left(at: number, now: number): string {
  return at > now ? `, in ${shownDuration(at - now)}` : '';
}
