import { CLUSTER } from '../../api/slurm-names.ts';
import { SSHARE_OPTIONS } from '../../config/slurm/account-options.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import type { World } from '../world.ts';
import { fieldTable } from './acct-fields.ts';
import { type AcctField, acctHeader, acctLine, readAcctFormat } from './acct-format.ts';
import { chosenStyle } from './acct-style.ts';
import { type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { knownAccounts } from './known-accounts.ts';

interface Share {
  readonly account: string;
  /** '' of the account itself. */
  readonly user: string;
}

const ofUser = (text: string) => (share: Share) => (share.user === '' ? '' : text);

/** Every field of sshare. Shares are not counted here: owners take turns. Source: sshare of Slurm 22.05.8. */
const FIELDS: readonly AcctField<Share>[] = [
  { title: 'Account', width: -20, value: ({ account, user }) => `${user === '' ? '' : ' '}${account}` },
  { title: 'Cluster', width: 10, value: () => CLUSTER },
  { title: 'EffectvUsage', width: 13, value: () => '0.000000' },
  { title: 'FairShare', width: 10, value: ofUser('0.000000') },
  { title: 'GrpTRESMins', width: 30, value: () => '' },
  { title: 'GrpTRESRaw', width: 30, value: () => '' },
  { title: 'ID', width: 6, value: () => '0' },
  { title: 'LevelFS', width: 10, value: ofUser('0.000000') },
  { title: 'NormShares', width: 11, value: () => '' },
  { title: 'NormUsage', width: 11, value: () => '' },
  { title: 'Partition', width: 12, value: () => '' },
  { title: 'RawShares', width: 10, value: () => '1' },
  { title: 'RawUsage', width: 11, value: () => '0' },
  { title: 'TRESRunMins', width: 30, value: () => '' },
  { title: 'User', width: 10, value: ({ user }) => user },
];
const STANDARD = 'account,user,rawshares,normshares,rawusage,effectvusage,fairshare';
const LONG =
  'account,user,rawshares,normshares,rawusage,normusage,effectvusage,fairshare,levelfs,grptresmins,tresrunmins';

/** `sshare`: the accounts of a user. */
export const sshare = defineDialect({
  command: 'sshare',
  usage: ['[options]'],
  about: 'Lists the accounts of a user. There are no shares: owners take turns.',
  options: SSHARE_OPTIONS,
  run,
});

async function run(input: DialectInput, world: World): Promise<number> {
  if (isGiven(input, 'helpformat')) {
    world.stdout.write(
      fieldTable(
        FIELDS.map(({ title }) => title),
        17,
      ),
    );
    return 0;
  }
  const isUsersOnly = isGiven(input, 'Users');
  // Without the accounts there is nothing that the names of users stand below.
  const all = isUsersOnly ? [{ ...FIELDS[0]!, value: ({ account }: Share) => account }, ...FIELDS.slice(1)] : FIELDS;
  const fields = readAcctFormat(lastValue(input, 'format') ?? (isGiven(input, 'long') ? LONG : STANDARD), all);
  const style = chosenStyle(input);
  const rows = await sharesOf(input, world, isUsersOnly);
  if (!isGiven(input, 'noheader')) world.stdout.write(acctHeader(fields, style));
  for (const row of rows) world.stdout.write(acctLine(fields, row, style));
  return 0;
}

async function sharesOf(input: DialectInput, world: World, isUsersOnly: boolean): Promise<readonly Share[]> {
  const users = lastValue(input, 'users')?.split(',') ?? [world.userName()];
  if (users.includes('')) throw refuse([{ form: 'error', text: 'Invalid user' }], 1);
  const asked = lastValue(input, 'accounts')?.split(',');
  const accounts = (await knownAccounts(world)).filter((account) => asked?.includes(account) ?? true);
  return accounts.flatMap((account) => [
    ...(isUsersOnly ? [] : [{ account, user: '' }]),
    ...users.map((user) => ({ account, user })),
  ]);
}
