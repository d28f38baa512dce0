import { CLUSTER } from '../../api/slurm-names.ts';
import { SACCTMGR_OPTIONS } from '../../config/slurm/account-options.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import { splitList } from '../../config/slurm/split-list.ts';
import type { World } from '../world.ts';
import {
  ACCOUNT,
  type AccountRow,
  type AccountTable,
  accountField,
  association,
  EMPTY_ENTITIES,
  QOS,
  TABLES,
} from './account-tables.ts';
import { type AcctField, acctHeader, acctLine } from './acct-format.ts';
import { chosenStyle } from './acct-style.ts';
import { type DialectInput, defineDialect, isGiven } from './dialect.ts';
import { VERSION_TEXT } from './dialect-help.ts';
import { knownAccounts } from './known-accounts.ts';

/** `sacctmgr`: what there is to tell of accounts, which nobody has to set up here. */
export const sacctmgr = defineDialect({
  command: 'sacctmgr',
  usage: ['[options] list|show ENTITY [conditions] [format=…]'],
  about:
    'Lists users, accounts, associations, clusters and QOS as programs ask for them. There are no accounts to manage: any name is accepted, and nothing can be changed.',
  options: SACCTMGR_OPTIONS,
  run,
});

async function run(input: DialectInput, world: World): Promise<number> {
  const [command = '', entity = '', ...words] = input.operands;
  const lower = command.toLowerCase();
  if (lower === '') return 0;
  if (isWord(lower, 'version')) {
    world.stdout.write(VERSION_TEXT);
    return 0;
  }
  if (CHANGES.some((each) => isWord(lower, each))) {
    throw refuse(
      [{ form: 'error', text: `${command}: there is no accounting database here; any account is accepted` }],
      1,
    );
  }
  if (!isWord(lower, 'list') && !isWord(lower, 'show'))
    throw refuse([{ form: 'bare', text: `invalid keyword: ${command}` }], 1);
  const table = findTable(entity);
  if (table === undefined) {
    if (entity !== '' && EMPTY_ENTITIES.some((each) => isEntity(entity, each))) return 0;
    throw refuse(
      NO_ENTITY.map((text) => ({ form: 'bare', text })),
      1,
    );
  }
  const asked = readWords(table, words);
  const withAll = isGiven(input, 'associations') || asked.withAssociations;
  const rows = (await rowsOf(table, world, asked, withAll)).filter((row) => fits(row, asked.conditions));
  write(input, world, chosenFields(table, asked.format, withAll), rows);
  return 0;
}

const CHANGES = [
  'add',
  'create',
  'modify',
  'delete',
  'remove',
  'load',
  'archive',
  'dump',
  'clear',
  'reconfigure',
  'shutdown',
];
const NO_ENTITY = [
  'No valid entity in list command',
  'Input line must include "Account", "Association", "Cluster", "Configuration",',
  '"Event", "Federation", "Problem", "QOS", "Resource", "Reservation",',
  '"RunAwayJobs", "Stats", "Transaction", "TRES", "User", or "WCKey"',
];

/** Keywords may be cut short to three letters. */
function isWord(word: string, keyword: string): boolean {
  return word.length >= Math.min(3, keyword.length) && keyword.startsWith(word);
}

function isEntity(word: string, entity: string): boolean {
  return isWord(word.toLowerCase().replace(/s$/, entity.endsWith('s') ? 's' : ''), entity);
}

function findTable(entity: string): AccountTable | undefined {
  return TABLES.find((table) => isEntity(entity, table.entity));
}

interface Asked {
  readonly format: string | undefined;
  readonly withAssociations: boolean;
  /** Values for a field, any of which fits. */
  readonly conditions: ReadonlyMap<string, readonly string[]>;
}

/** Words after the entity: names alone, `user=a,b`, `format=…`, `where`, `withassoc`. */
function readWords({ entity, conditions }: AccountTable, words: readonly string[]): Asked {
  let format: string | undefined;
  let withAssociations = false;
  const found = new Map<string, readonly string[]>();
  const own = entity === 'qos' || entity === 'tres' || entity === 'wckey' ? 'name' : entity;
  for (const word of words) {
    const [, key = '', value] = /^([^=]*?)=(.*)$/s.exec(word) ?? [];
    const lower = (value === undefined ? word : key).toLowerCase();
    if (value === undefined) {
      if (lower === 'where') continue;
      if (/^with|^wop/.test(lower)) withAssociations ||= isWord(lower, 'withassoc') || lower.startsWith('withassoc');
      else found.set(own, [...(found.get(own) ?? []), ...word.split(',')]);
    } else if (isWord(lower, 'format')) {
      format = value;
    } else {
      const condition = conditions.find((each) => isWord(lower, each));
      if (condition === undefined) {
        const lines = [` Unknown condition: ${word}`, " Use keyword 'set' to modify value"];
        throw refuse(
          lines.map((text) => ({ form: 'bare', text })),
          1,
        );
      }
      const field = condition === 'names' ? own : condition.replace(/s$/, '');
      found.set(field, value.replace(/^(["'])(.*)\1$/, '$2').split(','));
    }
  }
  return { format, withAssociations, conditions: found };
}

function fits(row: AccountRow, conditions: Asked['conditions']): boolean {
  return [...conditions].every(([field, values]) =>
    values.some((value) => value.toLowerCase() === row[field]?.toLowerCase()),
  );
}

/** `user,account%20`. */
function chosenFields(
  table: AccountTable,
  format: string | undefined,
  withAll: boolean,
): readonly AcctField<AccountRow>[] {
  const text = format ?? (withAll ? table.associated : undefined) ?? table.standard;
  return splitList(text, ',')
    .items.filter((item) => item !== '')
    .map((item) => {
      const [, name = '', digits] = /^([^%]*)(?:%(-?\d+))?/s.exec(item)!;
      const field = accountField(table.entity === 'cluster' && name === 'name' ? 'cluster' : name);
      if (field === undefined) throw refuse([{ form: 'bare', text: `Unknown field '${name}'` }], 1);
      const width = Math.max(-1_000, Math.min(1_000, Number(digits ?? 0)));
      return width === 0 ? field : { ...field, width };
    });
}

async function rowsOf(
  { entity }: AccountTable,
  world: World,
  { format, conditions }: Asked,
  withAll: boolean,
): Promise<readonly AccountRow[]> {
  const users = conditions.get('user') ?? [world.userName()];
  const shows = (name: string) => new RegExp(`(?:^|,)${name}`, 'i').test(format ?? '');
  switch (entity) {
    case 'user': {
      const isEach = withAll || shows('acc');
      const accounts = isEach ? await knownAccounts(world) : [ACCOUNT];
      return users.flatMap((user) => accounts.map((account) => association(user, account)));
    }
    case 'association': {
      const accounts = await knownAccounts(world);
      return accounts.flatMap((account) => [
        association('', account),
        ...users.map((user) => association(user, account)),
      ]);
    }
    case 'account':
      return (await knownAccounts(world)).map((account) => ({ account, description: account, organization: account }));
    case 'cluster': {
      const { host } = await (await world.connect()).server();
      return [{ cluster: CLUSTER, controlhost: host, controlport: '0', rpc: '9728', fairshare: '1', qos: QOS }];
    }
    case 'qos':
      return [{ name: QOS, priority: '0', gracetime: '00:00:00', preemptmode: 'cluster', usagefactor: '1.000000' }];
    case 'tres':
      return ['cpu', 'mem', 'energy', 'node', 'billing'].map((type, at) => ({ type, name: '', id: String(at + 1) }));
    default:
      return [];
  }
}

function write(
  input: DialectInput,
  world: World,
  fields: readonly AcctField<AccountRow>[],
  rows: readonly AccountRow[],
): void {
  const style = chosenStyle(input);
  if (!isGiven(input, 'noheader')) world.stdout.write(acctHeader(fields, style));
  for (const row of rows) world.stdout.write(acctLine(fields, row, style));
}
