import type { Role, TokenView } from '../../api/access.ts';
import { MAX_DURATION_MS } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { durationUpTo, nonEmpty } from '../option-values.ts';
import { isoTime } from '../output/format.ts';
import { JsonArray, jsonText } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import { seeHelp } from '../parse-command-line.ts';
import type { World } from '../world.ts';

const ROLES = ['admin', 'submit', 'read', 'worker'] as const satisfies readonly Role[];
const VERBS = ['create', 'list', 'revoke'] as const;
type Verb = (typeof VERBS)[number];

interface Options {
  readonly role: Role | undefined;
  readonly owner: string | undefined;
  readonly expires: number | undefined;
  readonly all: boolean;
  readonly format: 'json' | undefined;
}

/** Where an option belongs. */
const BELONGS: Readonly<Record<string, readonly Verb[]>> = {
  role: ['create'],
  owner: ['create'],
  expires: ['create'],
  all: ['list'],
  format: ['create', 'list'],
};

export const token = defineCommand({
  usage: ['token create NAME --role ROLE [options]', 'token list [--all]', 'token revoke NAME|ID'],
  about:
    'Tokens let users and workers on other machines in, where the coordinator listens (spawn server start --listen).\n' +
    'create prints the token, this once: what is kept is its hash. Roles: read looks at jobs; submit does that, and submits\n' +
    'and changes jobs of its owner; worker runs tasks and nothing else; admin does everything. revoke counts at once, also\n' +
    'for what is open. list prints through a pipe: id, name, role, owner, made, expires, last used, state.',
  options: {
    role: { value: 'ROLE', choices: ROLES, summary: 'With create: what it may do; roles' },
    owner: {
      value: 'OWNER',
      summary: 'With create: whose jobs it submits and changes; default NAME',
      parse: nonEmpty('an owner'),
    },
    expires: {
      value: 'DURATION',
      summary: 'With create: valid for so long, as 30d; default for ever',
      parse: durationUpTo(MAX_DURATION_MS),
    },
    all: { short: 'a', summary: 'With list: also revoked and expired ones' },
    format: jsonOption,
  },
  operands: { name: 'create NAME, list or revoke NAME|ID', min: 1, max: 2 },
  examples: [
    {
      line: '(umask 077; spawn token create node-1 --role worker >node-1.token)',
      says: 'for spored --token-file on another machine',
    },
    { line: 'spawn token create ada --role submit --expires 90d', says: 'for a user' },
    { line: 'spawn token revoke ada', says: 'from now on it is refused' },
  ],
  run: async ({ options, operands }, world) => {
    const [verb, name] = operands;
    if (!isVerb(verb)) return refuse(`expected create, list or revoke, found ${JSON.stringify(verb)}`);
    for (const [option, verbs] of Object.entries(BELONGS)) {
      const given = options[option as keyof typeof options];
      if (given !== undefined && given !== false && !verbs.includes(verb)) {
        const shown = option === 'format' ? '-o' : `--${option}`;
        refuse(`expected ${shown} with token ${verbs.join(' or ')} only`, verb);
      }
    }
    if (verb === 'list') {
      if (name !== undefined) refuse(`expected nothing after list, found ${JSON.stringify(name)}`, verb);
      return await list(world, options);
    }
    if (name === undefined || name === '')
      return refuse(`expected ${verb === 'create' ? 'NAME' : 'NAME|ID'}, found nothing`, verb);
    return verb === 'create' ? await create(world, name, options) : await revoke(world, name);
  },
});

function isVerb(word: string | undefined): word is Verb {
  return VERBS.some((verb) => verb === word);
}

function refuse(what: string, verb?: Verb): never {
  throw new SpawnError('USAGE', {
    message: `token${verb === undefined ? '' : ` ${verb}`}: ${what}${seeHelp('token')}`,
  });
}

async function create(world: World, name: string, { role, owner, expires, format }: Options): Promise<number> {
  if (role === undefined) return refuse(`expected --role ${ROLES.join('|')}, found nothing`, 'create');
  const client = await world.connect();
  const { token: secret, view } = await client.createToken({
    name,
    role,
    ...(owner === undefined ? {} : { owner }),
    ...(expires === undefined ? {} : { expiresInMs: expires }),
  });
  world.stdout.write(format === 'json' ? jsonText({ token: secret, ...json(view, world.now()) }) : `${secret}\n`);
  world.stderr.write(
    `spawn: token ${view.id} (${view.name}, role ${view.role}, owner ${view.owner}); it is shown this once. Keep it in a file of ` +
      `mode 600 and ${role === 'worker' ? 'start spored with --token-file FILE' : 'set SPAWN_TOKEN_FILE=FILE'}\n`,
  );
  return 0;
}

async function revoke(world: World, ref: string): Promise<number> {
  const { id, name } = await (await world.connect()).revokeToken(ref);
  world.stdout.write(`revoked token ${id} (${name})\n`);
  return 0;
}

async function list(world: World, { all, format }: Options): Promise<number> {
  const client = await world.connect();
  const { stdout } = world;
  const now = world.now();
  const array = format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
  const table = new Table(columns(now), stdout);
  for await (const page of pages(client, all)) {
    if (array !== undefined) array.add(page.map((each) => json(each, now)));
    else if (page.length > 0) stdout.write(table.render(page));
  }
  array?.end();
  return 0;
}

async function* pages(client: Client, all: boolean): AsyncGenerator<readonly TokenView[]> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { tokens: TokenView[]; next?: number | undefined } = await client.tokens({
      all: all ? '1' : '0',
      after,
    });
    yield page.tokens;
    after = page.next;
  }
}

function columns(now: number): readonly Column<TokenView>[] {
  return [
    { title: 'ID', right: true, value: ({ id }) => String(id) },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'OWNER', value: ({ owner }) => owner },
    { title: 'MADE', value: ({ createdAt }) => isoTime(createdAt)! },
    {
      title: 'EXPIRES',
      value: ({ expiresAt }) => isoTime(expiresAt) ?? 'never',
      plain: ({ expiresAt }) => isoTime(expiresAt) ?? '',
    },
    {
      title: 'USED',
      value: ({ lastUsedAt }) => isoTime(lastUsedAt) ?? 'never',
      plain: ({ lastUsedAt }) => isoTime(lastUsedAt) ?? '',
    },
    { title: 'STATE', value: (view) => stateOf(view, now) },
  ];
}

function json(view: TokenView, now: number): Record<string, string | number | null> {
  return {
    id: view.id,
    name: view.name,
    role: view.role,
    owner: view.owner,
    state: stateOf(view, now),
    created_at: isoTime(view.createdAt),
    expires_at: isoTime(view.expiresAt),
    revoked_at: isoTime(view.revokedAt),
    last_used_at: isoTime(view.lastUsedAt),
  };
}

function stateOf({ revokedAt, expiresAt }: TokenView, now: number): 'valid' | 'revoked' | 'expired' {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : 'valid';
}
