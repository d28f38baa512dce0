import { describe, expect, test } from 'vitest';
import { ownersOf, readUsers, uidOfJob, userOfJob } from './users.ts';

const users = readUsers(
  () => 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nada2:x:1000:1::/:/bin/sh\nbroken\n',
);

describe('users', () => {
  test('have a name and a number', () => {
    expect([users.nameOf(0), users.nameOf(1000), users.nameOf(7)]).toEqual(['root', 'ada', undefined]);
    expect([users.uidOf('ada2'), users.uidOf('eve')]).toEqual([1000, undefined]);
  });

  test('own jobs', () => {
    expect([userOfJob({ owner: '1000' }, users), userOfJob({ owner: '7' }, users)]).toEqual(['ada', '7']);
    expect(userOfJob({ owner: 'team' }, users)).toBe('team');
    expect([uidOfJob({ owner: '7' }, users), uidOfJob({ owner: 'ada' }, users)]).toEqual([7, 1000]);
    expect([uidOfJob({ owner: 'x', slurm: { uid: 5 } }, users), uidOfJob({ owner: 'x' }, users)]).toEqual([5, 65_534]);
  });

  test('are named by either', () => {
    expect([ownersOf('ada', users, 7), ownersOf('0', users, 7)]).toEqual([['1000', 'ada'], ['0']]);
    expect([ownersOf('ada', users, 1000), ownersOf('1000', users, 1000)]).toEqual([['@me', 'ada'], ['@me']]);
    expect([ownersOf('eve', users), ownersOf('9999999999', users)]).toEqual([undefined, undefined]);
  });

  test('of this machine are in /etc/passwd', () => expect(readUsers().nameOf(0)).toBe('root'));
});
