import { describe, expect, test } from 'vitest';
import { aJob, aServer, aTask, type RunOptions, runCli } from '../../../test/support/cli-world.ts';

const WORLD = { env: { SBATCH_ACCOUNT: 'mine' }, userName: () => 'nobody' };

async function ask(line: string, options: RunOptions = {}): Promise<string> {
  const client = {
    jobs: async () => ({ jobs: [aJob({ slurm: { account: 'lab' } }), aJob()] }),
    server: async () => aServer({ host: 'lovelace' }),
    queue: async ({ ids }: { ids: string }) => ({
      now: 0,
      missing: [],
      jobs:
        ids === '7'
          ? [{ job: aJob(), lanes: [], groups: [], tasks: [{ ...aTask(0, { rawId: 7, worker: 'n1' }), lane: 0 }] }]
          : [],
    }),
  };
  const { code, out, err } = await runCli(line.split(' '), { client, world: WORLD, ...options });
  return `${out}${err === '' ? '' : `! ${err}`}${code === 0 ? '' : `rc=${code}\n`}`;
}

// Answers of Slurm 22.05.8, but for the names.
describe('sacctmgr', () => {
  test.each([
    [
      'sacctmgr list user',
      '      User   Def Acct     Admin \n---------- ---------- --------- \n    nobody    default      None \n',
    ],
    ['sacctmgr -nP -s list user nobody format=account%256', 'default\nmine\nlab\n'],
    ['sacctmgr -n list user nobody format=user,account%5', '    nobody defa+ \n    nobody  mine \n    nobody   lab \n'],
    ['sacctmgr -nP show user nobody withassoc account=lab format=user,account', 'nobody|lab\n'],
    ['sacctmgr -np list assoc where user=nobody account=lab format=cluster,account,user', 'spawn|lab|nobody|\n'],
    ['sacctmgr -nP list account format=account,descr,org', 'default|default|default\nmine|mine|mine\nlab|lab|lab\n'],
    ['sacctmgr show clusters -nP format=cluster,controlhost', 'spawn|lovelace\n'],
    ['sacctmgr -P SHOW qos format=name,priority', 'Name|Priority\nnormal|0\n'],
    ['sacctmgr -nP list qos nosuch', ''],
    ['sacctmgr -nP list tres', 'cpu||1\nmem||2\nenergy||3\nnode||4\nbilling||5\n'],
    ['sacctmgr list reservation', ''],
    ['sacctmgr -n list wckey', ''],
    ['sacctmgr version', 'slurm 22.05.8\n'],
    ['sacctmgr shw user', '! invalid keyword: shw\nrc=1\n'],
    ['sacctmgr show user format=nope', "! Unknown field 'nope'\nrc=1\n"],
    ['sacctmgr -n list user x zzz=3', "!  Unknown condition: zzz=3\n Use keyword 'set' to modify value\nrc=1\n"],
    [
      'sacctmgr add user x',
      '! sacctmgr: error: add: there is no accounting database here; any account is accepted\nrc=1\n',
    ],
    [
      'sacctmgr --nosuch',
      '! sacctmgr: unrecognized option \'--nosuch\'\nTry "sacctmgr --help" for more information\nrc=1\n',
    ],
  ])('%s', async (line, text) => expect(await ask(line)).toBe(text));

  test('names what there is to list', async () => {
    expect(await ask('sacctmgr list nope')).toMatch(
      /^! No valid entity in list command\nInput line must include "Account"/,
    );
  });
});

describe('sshare', () => {
  test.each([
    [
      'sshare -U -n -P',
      'default|nobody|1||0|0.000000|0.000000\nmine|nobody|1||0|0.000000|0.000000\nlab|nobody|1||0|0.000000|0.000000\n',
    ],
    ['sshare -U --format Account%8 --noheader', ' default \n    mine \n     lab \n'],
    ['sshare -n -P -A lab -u ada -o account,user', 'lab|\n lab|ada\n'],
    ['sshare -o nope', '! sshare: error: Invalid field requested: "nope"\nrc=1\n'],
  ])('%s', async (line, text) => expect(await ask(line)).toBe(text));

  test('names its fields', async () => {
    expect(await ask('sshare -e')).toContain(
      'Account           Cluster           EffectvUsage      FairShare        \n',
    );
  });
});

describe('sstat', () => {
  test.each([
    ['sstat', "! sstat: error: You didn't give me any jobs to stat.\nrc=1\n"],
    ['sstat -a -n -P -j 7 -o jobid,ntasks,nodelist,maxrss', '7.batch|1|n1|\n'],
    ['sstat -n -P -j 7.batch -o jobid', '7.batch\n'],
    ['sstat -n -j 7 -o jobid', ''],
    ['sstat -P -j 9 -o jobid', "JobID\n! sstat: error: couldn't get steps for job 9\n"],
    ['sstat -j 7 -o nope', '! sstat: error: Invalid field requested: "nope"\nrc=1\n'],
    ['sstat -i -j 7.batch -P', 'JobID|Nodelist|Pids\n7.batch|n1|\n'],
    ['sstat --nosuch', "! sstat: unrecognized option '--nosuch'\nrc=1\n"],
  ])('%s', async (line, text) => expect(await ask(line)).toBe(text));

  test('names its fields', async () => {
    expect(await ask('sstat -e')).toContain(
      'AveCPU              AveCPUFreq          AveDiskRead         AveDiskWrite       \n',
    );
  });
});
