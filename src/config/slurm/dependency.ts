import { formatDependency, parseDependency } from '../../core/dependency.ts';
import { isSpawnError } from '../../core/errors.ts';
import { notSubmitted } from './refusal.ts';
import { splitList } from './split-list.ts';

/**
 * A dependency in Slurm's spelling as ours; undefined for none (`''`, `0`). Besides ours Slurm takes blanks after `:`, `+5m` and leading zeros, a
 * delay with every type (where it means nothing), `12_` for `12_0` and `afterburstbuffer` for afterany; a number alone stands alone.
 *
 * @throws SpawnError with Slurm's words
 */
export function dependencyOption(text: string): string | undefined {
  if (text === '' || text === '0') return undefined;
  if (/(?:^|[,?])expand:/i.test(text)) throw notSubmitted('Requested operation not supported on this system');
  const { items, between } = splitList(text, ',?');
  const ours = items.map((term, at) => termOf(term) + (between[at] ?? '')).join('');
  try {
    return formatDependency(parseDependency(ours));
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    throw notSubmitted('Job dependency problem');
  }
}

function termOf(term: string): string {
  const colon = term.indexOf(':');
  const problem = () => notSubmitted('Job dependency problem');
  if (colon < 0) {
    if (/^\d/.test(term) && /[[+]/.test(term)) throw problem();
    return term.replace(/_$/, '_0');
  }
  const type = term.slice(0, colon).toLowerCase();
  if (/^\d*$/.test(type)) throw problem();
  const ids = term.slice(colon + 1).split(':');
  const own = type === 'afterburstbuffer' ? 'afterany' : type;
  return `${own}:${ids.map((id) => idOf(id, own)).join(':')}`;
}

function idOf(text: string, type: string): string {
  const [, id, minutes] = /^ *([^+]*)(?:\+ *(\d+)(?:m(?:in)?)?)?$/.exec(text) ?? [];
  if (id === undefined) throw notSubmitted('Job dependency problem');
  const whole = id.replace(/_$/, '_0');
  return minutes === undefined || type !== 'after' ? whole : `${whole}+${minutes}`;
}
