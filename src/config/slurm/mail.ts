import { badSpecification } from './refusal.ts';

const OF_ALL = ['BEGIN', 'END', 'FAIL', 'REQUEUE', 'INVALID_DEPEND', 'STAGE_OUT'] as const;
const TYPES = [...OF_ALL, 'TIME_LIMIT', 'TIME_LIMIT_90', 'TIME_LIMIT_80', 'TIME_LIMIT_50', 'ARRAY_TASKS'] as const;

/** When a mail is to be sent; ARRAY_TASKS: for each task of an array. */
export type MailType = (typeof TYPES)[number];

/**
 * Reads `END,FAIL`; `ALL` means the first six, `NONE` anywhere none.
 * @throws SpawnError with Slurm's words
 */
export function mailTypeOption(text: string): readonly MailType[] {
  const words = text.split(',').filter((word) => word !== '');
  const found = new Set<MailType>();
  let isNone = false;
  for (const word of words.map((name) => name.toUpperCase())) {
    const type = TYPES.find((name) => name === word);
    if (type !== undefined) found.add(type);
    else if (word === 'ALL') for (const name of OF_ALL) found.add(name);
    else if (word === 'NONE') isNone = true;
    else throw badSpecification('mail-type');
  }
  if (words.length === 0) throw badSpecification('mail-type');
  return isNone ? [] : TYPES.filter((name) => found.has(name));
}
