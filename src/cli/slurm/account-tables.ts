import { CLUSTER } from '../../api/slurm-names.ts';
import type { AcctField } from './acct-format.ts';

/** A row of accounting: each field by its name in lower case. What nobody knows here is missing. */
export type AccountRow = Readonly<Record<string, string>>;

/** What one kind of entry of sacctmgr shows. */
export interface AccountTable {
  readonly entity: string;
  /** Fields shown where no format is given, and with associations. */
  readonly standard: string;
  readonly associated?: string;
  /** Conditions that its list takes. */
  readonly conditions: readonly string[];
}

/** The account of who names none: whatever is named is accepted. */
export const ACCOUNT = 'default';
export const QOS = 'normal';

/** Every field with its width. Source: sacctmgr of Slurm 22.05.8. */
const FIELDS: readonly (readonly [names: string, title: string, width: number])[] = [
  ['account acct', 'Account', 10],
  ['adminlevel', 'Admin', 9],
  ['cluster', 'Cluster', 10],
  ['controlhost', 'ControlHost', 15],
  ['controlport', 'ControlPort', 12],
  ['coordinators', 'Coord Accounts', 20],
  ['defaultaccount', 'Def Acct', 10],
  ['defaultqos', 'Def QOS', 9],
  ['defaultwckey', 'Def WCKey', 10],
  ['description', 'Descr', 20],
  ['fairshare shares', 'Share', 9],
  ['flags', 'Flags', 40],
  ['gracetime', 'GraceTime', 10],
  ['grpjobs', 'GrpJobs', 7],
  ['grpsubmitjobs', 'GrpSubmit', 9],
  ['grptres', 'GrpTRES', 13],
  ['grptresmins', 'GrpTRESMins', 13],
  ['grptresrunmins', 'GrpTRESRunMin', 13],
  ['grpwall', 'GrpWall', 11],
  ['id', 'ID', 6],
  ['maxcpumins', 'MaxCPUMins', 11],
  ['maxcpus', 'MaxCPUs', 8],
  ['maxjobs', 'MaxJobs', 7],
  ['maxnodes', 'MaxNodes', 8],
  ['maxsubmitjobs', 'MaxSubmit', 9],
  ['maxtres', 'MaxTRES', 13],
  ['maxtresmins', 'MaxTRESMins', 13],
  ['maxtrespernode', 'MaxTRESPerNode', 14],
  ['maxwall', 'MaxWall', 11],
  ['name', 'Name', 10],
  ['organization', 'Org', 20],
  ['parentname', 'Par Name', 10],
  ['partition', 'Partition', 10],
  ['preempt', 'Preempt', 10],
  ['preemptmode', 'PreemptMode', 11],
  ['priority', 'Priority', 10],
  ['qos', 'QOS', 20],
  ['rpc', 'RPC', 5],
  ['type', 'Type', 8],
  ['usagefactor', 'UsageFactor', 11],
  ['user', 'User', 10],
];

/** Finds a field by its name, in any case and cut short. */
export function accountField(name: string): AcctField<AccountRow> | undefined {
  const lower = name.toLowerCase();
  const at = FIELDS.findIndex(([names]) => names.split(' ').includes(lower));
  const found = at >= 0 ? at : FIELDS.findIndex(([names]) => names.split(' ').some((each) => each.startsWith(lower)));
  if (lower === '' || found < 0) return undefined;
  const [names, title, width] = FIELDS[found]!;
  const key = names.split(' ')[0]!;
  return { title, width, value: (row) => row[key] ?? '' };
}

/** Kinds of entries, in any case, in singular or plural and cut short. */
export const TABLES: readonly AccountTable[] = [
  { entity: 'account', standard: 'account,description,organization', conditions: ['names', 'accounts'] },
  {
    entity: 'association',
    standard:
      'cluster,account,user,partition,fairshare,priority,grpjobs,grptres,grpsubmitjobs,grpwall,grptresmins,maxjobs,maxtres,maxtrespernode,maxsubmitjobs,maxwall,maxtresmins,qos,defaultqos,grptresrunmins',
    conditions: ['users', 'accounts', 'clusters', 'partitions'],
  },
  {
    entity: 'cluster',
    standard:
      'cluster,controlhost,controlport,rpc,fairshare,grpjobs,grptres,grpsubmitjobs,maxjobs,maxtres,maxsubmitjobs,maxwall,qos,defaultqos',
    conditions: ['names', 'clusters'],
  },
  {
    entity: 'qos',
    standard: 'name,priority,gracetime,preempt,preemptmode,flags,usagefactor,maxwall',
    conditions: ['names'],
  },
  { entity: 'tres', standard: 'type,name,id', conditions: ['types', 'names'] },
  {
    entity: 'user',
    standard: 'user,defaultaccount,adminlevel',
    associated:
      'user,defaultaccount,adminlevel,cluster,account,partition,fairshare,priority,maxjobs,maxnodes,maxcpus,maxsubmitjobs,maxwall,maxcpumins,qos,defaultqos',
    conditions: ['names', 'users', 'accounts'],
  },
  { entity: 'wckey', standard: 'name,cluster,user', conditions: ['names', 'users'] },
];

/** Entries of which there never is one here. */
export const EMPTY_ENTITIES = ['event', 'federation', 'problem', 'reservation', 'resource', 'transaction'];

/** What all of a user's associations share. */
export function association(user: string, account: string): AccountRow {
  return { cluster: CLUSTER, user, account, defaultaccount: ACCOUNT, adminlevel: 'None', fairshare: '1', qos: QOS };
}
