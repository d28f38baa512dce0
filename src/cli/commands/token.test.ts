import { describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import type { TokenView } from '../../api/access.ts';

const ADA: TokenView = { id: 3, name: 'ada', role: 'submit', owner: 'ada', createdAt: 0 };
const VIEWS: readonly TokenView[] = [
  ADA,
  { ...ADA, id: 4, name: 'ci', expiresAt: 5_000, lastUsedAt: 3_600_000 },
  { ...ADA, id: 5, name: 'old', expiresAt: 9e12, revokedAt: 7_000 },
];

describe('token create', () => {
  const create = async (...words: string[]) =>
    runCli(['token', 'create', ...words], { client: { createToken: () => ({ token: 'spawn_3_SECRET', view: ADA }) } });

  test('prints the token alone, and beside it where to put it', async () => {
    const ran = await create('ada', '--role', 'submit', '--owner', 'team', '--expires', '30d');
    expect(ran).toMatchObject({ code: 0, out: 'spawn_3_SECRET\n' });
    expect(ran.err).toMatch(
      /^spawn: token 3 \(ada, role submit, owner ada\); .* mode 600 and set SPAWN_TOKEN_FILE=FILE\n$/,
    );
    expect(ran.err).not.toContain('SECRET');
    expect(ran.calls).toEqual([
      ['createToken', { name: 'ada', role: 'submit', owner: 'team', expiresInMs: 30 * 86_400_000 }],
    ]);
  });

  test('as JSON', async () => {
    expect(JSON.parse((await create('ada', '--role', 'worker', '-o', 'json')).out)).toEqual({
      token: 'spawn_3_SECRET',
      id: 3,
      name: 'ada',
      role: 'submit',
      owner: 'ada',
      state: 'valid',
      created_at: '1970-01-01T00:00:00.000Z',
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
    });
  });

  test('for a worker it says what a worker takes', async () => {
    expect((await create('n1', '--role', 'worker')).err).toContain('start spored with --token-file FILE');
  });
});

describe('token list', () => {
  test('asks for page after page', async () => {
    const tokens = ({ after }: { after: number }) =>
      after === 0 ? { tokens: VIEWS.slice(0, 2), next: 4 } : { tokens: VIEWS.slice(2) };
    const ran = await runCli(['token', 'list', '--all'], { client: { tokens } });
    expect(ran.calls).toEqual([
      ['tokens', { all: '1', after: 0 }],
      ['tokens', { all: '1', after: 4 }],
    ]);
    expect(ran.out.split('\n').map((line) => line.split('\t'))).toEqual([
      ['3', 'ada', 'submit', 'ada', '1970-01-01T00:00:00.000Z', '', '', 'valid'],
      [
        '4',
        'ci',
        'submit',
        'ada',
        '1970-01-01T00:00:00.000Z',
        '1970-01-01T00:00:05.000Z',
        '1970-01-01T01:00:00.000Z',
        'expired',
      ],
      ['5', 'old', 'submit', 'ada', '1970-01-01T00:00:00.000Z', '2255-03-14T16:00:00.000Z', '', 'revoked'],
      [''],
    ]);
  });

  test('for people, and as JSON', async () => {
    const client = { tokens: () => ({ tokens: VIEWS }) };
    expect((await runCli(['token', 'list'], { client, tty: true })).out.split('\n').slice(0, 2)).toEqual([
      'ID  NAME  ROLE    OWNER  MADE                      EXPIRES                   USED                      STATE',
      ' 3  ada   submit  ada    1970-01-01T00:00:00.000Z  never                     never                     valid',
    ]);
    const json = JSON.parse((await runCli(['token', 'list', '-o', 'json'], { client })).out);
    expect(json.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['ada', 'valid'],
      ['ci', 'expired'],
      ['old', 'revoked'],
    ]);
  });
});

test('token revoke', async () => {
  const ran = await runCli(['token', 'revoke', 'ada'], { client: { revokeToken: () => ADA } });
  expect(ran).toMatchObject({ code: 0, out: 'revoked token 3 (ada)\n', calls: [['revokeToken', 'ada']] });
});

test.each([
  [['create'], 'token create: expected NAME, found nothing'],
  [['create', 'x'], 'token create: expected --role admin|submit|read|worker, found nothing'],
  [['create', 'x', '--role', 'root'], '--role: expected admin or submit or read or worker, found "root"'],
  [['create', 'x', '--role', 'read', '--all'], 'token create: expected --all with token list only'],
  [['list', 'x'], 'token list: expected nothing after list, found "x"'],
  [['list', '--role', 'read'], 'token list: expected --role with token create only'],
  [['revoke'], 'token revoke: expected NAME|ID, found nothing'],
  [['revoke', 'x', '-o', 'json'], 'token revoke: expected -o with token create or list only'],
  [['make'], 'token: expected create, list or revoke, found "make"'],
])('refuses %j', async (words, message) => {
  const ran = await runCli(['token', ...words]);
  expect(ran).toMatchObject({ code: 2, calls: [] });
  expect(ran.err).toContain(message);
});
