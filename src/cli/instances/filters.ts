import type { InstancesQueryInput, InstanceTarget } from '../../api/instance.ts';
import { checkDnsLabel } from '../../core/dns-label.ts';
import { SpawnError } from '../../core/errors.ts';
import { INSTANCE_STATES } from '../../core/instance.ts';
import { findType } from '../../core/instance-types.ts';
import { didYouMean } from '../../core/nearest.ts';
import { parseTagFilter } from '../../core/tag-filter.ts';
import type { OptionTable, Values } from '../command.ts';

const MAX_TAG = 400;
const MAX_ID = 255;
/** Tags that hold a number: another value would fit nothing. */
const NUMBERS: readonly string[] = ['spawn:job-array-index', 'spawn:job-array-size'];

/** Reads `k=v` of a filter. The value may be empty: instances that have the tag with no value. */
function readTag(text: string, where: string): string {
  const bad = (expected: string): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
  };
  if (text.length > MAX_TAG) return bad(`at most ${MAX_TAG} characters`);
  const { key, value } = parseTagFilter(text, where);
  if (NUMBERS.includes(key) && !/^\d{1,10}$/.test(value)) return bad(`${text.slice(0, text.indexOf('='))}=NUMBER`);
  return text;
}

/** An id of an array is looked for as it is: other programs make theirs in other forms. */
function readArrayId(text: string, where: string): string {
  if (text.length > 0 && text.length <= MAX_ID && /^[A-Za-z0-9._-]+$/.test(text)) return text;
  const expected = 'the id of an array, as compute-20260113-0abc12';
  throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
}

/** Which arrays and tags; all that are given hold together. */
export const targetOptions = {
  'job-array-name': { value: 'NAME', summary: 'Only instances of arrays of this name', parse: checkDnsLabel },
  'job-array-id': { value: 'ID', summary: 'Only instances of the array with this id', parse: readArrayId },
  tag: {
    value: 'K=V',
    many: true,
    summary: 'Only instances with this tag; array:id=, array:name=, array:index= too',
    parse: readTag,
  },
} as const satisfies OptionTable;

export const LISTED_STATES = ['all', ...INSTANCE_STATES] as const;
type ListedState = (typeof LISTED_STATES)[number];

function readState(text: string, where: string): ListedState {
  const state = LISTED_STATES.find((name) => name === text);
  if (state !== undefined) return state;
  throw new SpawnError('USAGE', {
    message: `${where}: expected ${LISTED_STATES.slice(0, -1).join(', ')} or ${LISTED_STATES.at(-1)}, found ${JSON.stringify(text)}${didYouMean(text, LISTED_STATES)}`,
  });
}

export const listOptions = {
  name: { value: 'NAME', summary: 'Only the instance of this name or id', parse: checkDnsLabel },
  ...targetOptions,
  state: {
    value: 'STATE',
    summary: 'Only instances in this state, as running; all of them: all, the default',
    parse: readState,
  },
  region: { value: 'REGION', summary: 'Only instances in this region', parse: checkDnsLabel },
  'instance-type': {
    value: 'TYPE',
    summary: 'Only instances of this type, as m7i.large',
    parse: (text, where) => findType(text, where).name,
  },
} as const satisfies OptionTable;

/** Filters of a target as they were given; undefined without any. */
export function targetOf(given: Values<typeof targetOptions>): InstanceTarget | undefined {
  const { 'job-array-name': arrayName, 'job-array-id': arrayId, tag } = given;
  if (arrayName === undefined && arrayId === undefined && tag.length === 0) return undefined;
  return {
    ...(arrayName === undefined ? {} : { arrayName }),
    ...(arrayId === undefined ? {} : { arrayId }),
    ...(tag.length === 0 ? {} : { tag: [...tag] }),
  };
}

export function queryOf(given: Values<typeof listOptions>): InstancesQueryInput {
  const { name, state, region, 'instance-type': type } = given;
  return {
    ...targetOf(given),
    ...(name === undefined ? {} : { instance: name }),
    ...(state === undefined || state === 'all' ? {} : { state }),
    ...(region === undefined ? {} : { region }),
    ...(type === undefined ? {} : { type }),
  };
}

/** As a person would write it: `--job-array-name compute --tag team=physics`, `compute-3`. */
export function targetText(target: Pick<InstancesQueryInput, 'instance' | 'arrayName' | 'arrayId' | 'tag'>): string {
  const { instance, arrayName, arrayId, tag = [] } = target;
  return [
    ...(instance === undefined ? [] : [instance]),
    ...(arrayName === undefined ? [] : [`--job-array-name ${arrayName}`]),
    ...(arrayId === undefined ? [] : [`--job-array-id ${arrayId}`]),
    ...[tag].flat().map((text) => `--tag ${text}`),
  ].join(' ');
}
