import { describe, expect, test } from 'vitest';
import { lookUpNames } from './look-up-names.ts';
import { ownersOf, readUsers, uidOfJob, userOfJob } from './users.ts';

const asked: string[] = [];
/** Whom the files of this machine do not name: users of a directory elsewhere. */
const LDAP: Readonly<Record<string, string>> = {
  grace: 'grace:*:70001:70000::/home/grace:/bin/sh\n',
  '70001': 'grace:*:70001:70000::/home/grace:/bin/sh\n',
  '70000': 'lab:*:70000:grace\n',
};
const users = readUsers(
  lookUpNames(
    (path) =>
      path === '/etc/group'
        ? 'crew:x:1000:\n'
        : 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nada2:x:1000:1::/:/bin/sh\nbroken\n',
    (database, key) => {
      asked.push(`${database} ${key}`);
      return LDAP[key] ?? '';
    },
  ),
);

describe('users', () => {
  test('have a name and a number', () => {
    expect([users.nameOf(0), users.nameOf(1000), users.nameOf(7)]).toEqual(['root', 'ada', undefined]);
    expect([users.uidOf('ada2'), users.uidOf('eve')]).toEqual([1000, undefined]);
  });

  test('that come from elsewhere are asked for once each, and nothing is taken for an option', () => {
    asked.length = 0;
    expect([users.nameOf(70_001), users.uidOf('grace'), users.uidOf('grace')]).toEqual(['grace', 70_001, 70_001]);
    expect([users.gidOf(70_001), users.groupOf(70_000), users.groupOf(1000)]).toEqual([70_000, 'lab', 'crew']);
    expect([users.uidOf('-s'), users.uidOf('12'), users.uidOf('a b'), users.uidOf('')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([users.nameOf(8), users.nameOf(8)]).toEqual([undefined, undefined]);
    expect(asked).toEqual(['passwd 70001', 'passwd grace', 'group 70000', 'passwd 8']);
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

  test('of this machine are found, and one that is nowhere is none', () => {
    const here = readUsers();
    expect([here.nameOf(0), here.uidOf('root'), here.uidOf('no-such-user')]).toEqual(['root', 0, undefined]);
  });
});
