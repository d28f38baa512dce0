import type { InstancesQuery, InstanceTarget } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import { matchesTags, parseTagFilter } from '../../core/tag-filter.ts';
import type { Caller } from '../use-cases.ts';
import type { InstanceBook } from './book.ts';
import type { InstanceArray } from './instance-array.ts';
import { tagsOf } from './order.ts';
import { type InstanceRow, isOver } from './row.ts';

type Filters = Pick<InstancesQuery, 'instance' | 'arrayName' | 'arrayId' | 'tag'>;

/** The instances that fit all conditions, in order: newest array first, then index, then generation. */
export function* findRows(book: InstanceBook, filters: Filters): Generator<[InstanceArray, InstanceRow]> {
  const { instance, arrayName, arrayId, tag } = filters;
  const tags = (tag === undefined ? [] : typeof tag === 'string' ? [tag] : tag).map((text) => parseTagFilter(text));
  const byId = instance === undefined ? undefined : book.rows.get(instance);
  for (const id of [...book.arrays.keys()].toSorted((a, b) => b - a)) {
    const array = book.arrays.get(id)!;
    if (arrayName !== undefined && array.fixed.name !== arrayName) continue;
    if (arrayId !== undefined && array.fixed.arrayId !== arrayId) continue;
    if (byId !== undefined && byId.jobId !== id) continue;
    for (const row of array.rows()) {
      if (row.hidden === true) continue;
      if (instance !== undefined && row.id !== instance && row.name !== instance) continue;
      if (tags.length > 0 && !matchesTags(tags, tagsOf(array, row, book.setup!.storeId))) continue;
      yield [array, row];
    }
  }
}

/**
 * Those that a verb is meant for: the newest machine of each member. Of a name that several had, the one that lives. Where some are the
 * caller's own, only these: others may have the same names and tags.
 *
 * @throws INSTANCE_NOT_FOUND when none fits
 */
export function findTargets(
  book: InstanceBook,
  target: InstanceTarget,
  caller: Caller,
): [InstanceArray, InstanceRow][] {
  const newest = new Map<string, [InstanceArray, InstanceRow]>();
  const fitting = [...findRows(book, target)];
  const own = fitting.filter(([, { owner, tenant }]) => owner === caller.owner && tenant === caller.tenant);
  const meansAll = caller.role === 'admin' && target.instance === undefined;
  for (const found of meansAll || own.length === 0 ? fitting : own)
    newest.set(`${found[0].id}/${found[1].position}`, found);
  let all = [...newest.values()];
  if (target.instance !== undefined && all.length > 1) {
    const live = all.filter(([, row]) => !isOver(row));
    all = live.length > 0 ? live : all.slice(0, 1);
  }
  if (all.length === 0) throw new SpawnError('INSTANCE_NOT_FOUND', { ref: wordsOf(target) });
  return all;
}

/** The conditions as a person gave them. */
export function wordsOf({ instance, arrayName, arrayId, tag }: Filters): string {
  return [
    ...(instance === undefined ? [] : [instance]),
    ...(arrayName === undefined ? [] : [`--job-array-name ${arrayName}`]),
    ...(arrayId === undefined ? [] : [`--job-array-id ${arrayId}`]),
    ...[tag ?? []].flat().map((each) => `--tag ${each}`),
  ].join(' ');
}
