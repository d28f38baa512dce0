import { describe, expect, test } from 'vitest';
import { aServer, type RunOptions, runCli } from '../../../test/support/cli-world.ts';
import type { SessionView } from '../../api/server-view.ts';

const aWorker = (worker: string, part: Partial<SessionView> = {}): SessionView => ({
  id: 1,
  worker,
  host: 'far-away',
  pid: 1,
  resources: { cpus: 8, memoryBytes: 16_000 * 2 ** 20, gpus: 2 },
  freeCpus: 8,
  running: 0,
  leased: 0,
  connected: true,
  draining: false,
  openedAt: 0,
  ...part,
});
const IDLE = [aWorker('n1'), aWorker('n2'), aWorker('n3')];
const ask = async (words: string, sessions = IDLE, env: Record<string, string> = {}) => {
  const options: RunOptions = { client: { server: async () => aServer({ sessions }) }, world: { env } };
  const { code, out, err } = await runCli(['sinfo', ...words.split(' ').filter((word) => word !== '')], options);
  return `${out}${err === '' ? '' : `! ${err}`}${code === 0 ? '' : `rc=${code}\n`}`;
};

const HEAD = 'PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n';

// Answers of Slurm 22.05.8 with such nodes.
describe('sinfo', () => {
  test.each([
    ['', `${HEAD}main*        up   infinite      3   idle n[1-3]\n`],
    ['-h', 'main*        up   infinite      3   idle n[1-3]\n'],
    [
      '-N',
      'NODELIST   NODES PARTITION STATE \nn1             1     main* idle  \nn2             1     main* idle  \nn3             1     main* idle  \n',
    ],
    [
      '-s',
      'PARTITION AVAIL  TIMELIMIT   NODES(A/I/O/T) NODELIST\nmain*        up   infinite          0/3/0/3 n[1-3]\n',
    ],
    ['-R', 'REASON               USER      TIMESTAMP           NODELIST\n'],
    ['-t alloc', `${HEAD}main*        up   infinite      0    n/a \n`],
    ['-p nosuch', HEAD],
    ['-n n1', `${HEAD}main*        up   infinite      1   idle n1\n`],
    ['-n nosuch', `${HEAD}main*        up   infinite      0    n/a \n`],
    ['-o %P', 'PARTITION\nmain*\n'],
    ['-h -o %P|%l|%c|%m|%G|%C', 'main*|infinite|8|16000|gpu:2|0/24/0/24\n'],
    ['-N -h -o %N|%t|%C', 'n1|idle|0/8/0/8\nn2|idle|0/8/0/8\nn3|idle|0/8/0/8\n'],
    ['-h -o [%10P][%.10P][%-10P]', '[main*     ][     main*][%-10P]\n! Invalid node format specification: -\n'],
    ['-O partition:5,nodes:.4', 'PARTINODE\nmain*   3\n'],
    ['-O nope', '\n\n! sinfo: error: Invalid job format specification: nope\n'],
    ['-i x', '! sinfo: error: Error: invalid entry for --iterate=x\nrc=1\n'],
    ['-T', 'No reservations in the system\n'],
    ['--nosuch', '! sinfo: unrecognized option \'--nosuch\'\nTry "sinfo --help" for more information\nrc=1\n'],
  ])('%s', async (words, text) => expect(await ask(words)).toBe(text));

  test('refuses a state that there is not', async () => {
    expect(await ask('-t idle,nope')).toBe(
      '! sinfo: error: Bad state string: "nope"\nsinfo: error: valid states: unknown,down,idle,allocated,?,mixed,future,drain,drained,draining,no_respond,reserved,perfctrs,cloud,completing,powering_down,powered_down,power_down,powering_up,fail,maint,reboot,reboot^,unknown\nrc=1\n',
    );
  });

  const busy = [aWorker('n1', { freeCpus: 4 }), aWorker('n2', { freeCpus: 0 }), aWorker('n10')];
  test('groups nodes that look alike, the busiest first', async () => {
    expect(await ask('-h', busy)).toBe(
      'main*        up   infinite      1    mix n1\nmain*        up   infinite      1  alloc n2\nmain*        up   infinite      1   idle n10\n',
    );
    expect(await ask('-h -s', busy)).toBe('main*        up   infinite          2/1/0/3 n[1-2,10]\n');
    expect(await ask('-h -o %A|%F|%C', busy)).toBe('2/1|2/1/0/3|12/12/0/24\n');
    expect(await ask('-h -t mix,alloc -o %N|%T -S t', busy)).toBe('n2|allocated\nn1|mixed\n');
  });

  test('joins sizes that differ unless they are to be exact', async () => {
    const sizes = [aWorker('n1'), aWorker('n2', { resources: { cpus: 4, memoryBytes: 8_000 * 2 ** 20 }, freeCpus: 4 })];
    expect(await ask('-h -o %N|%c|%m|%z|%O', sizes)).toBe('n[1-2]|4+|8000+|4:1:1+|N/A\n');
    expect(await ask('-h -e -o %N|%c|%m', sizes)).toBe('n1|8|16000\nn2|4|8000\n');
    expect(await ask('-h -o %N|%G', sizes)).toBe('n1|gpu:2\nn2|(null)\n');
  });

  test('knows workers that take no work, and those that are cut off', async () => {
    const away = [
      aWorker('n1', { draining: true, freeCpus: 4 }),
      aWorker('n2', { draining: true }),
      aWorker('n3', { connected: false }),
    ];
    expect(await ask('-h -o %N|%t|%T|%E', away)).toBe(
      'n3|down*|down*|Not responding\nn1|drng|draining|draining\nn2|drain|drained|draining\n',
    );
    expect(await ask('-h -t drain -o %D', away)).toBe('2\n');
    expect(await ask('-h -t drng -o %N', away)).toBe('n1\n');
    expect(await ask('-h -d -o %N', away)).toBe('n3\n');
    expect(await ask('-h -r -o %N', away)).toBe('n[1-2]\n');
    expect(await ask('-h -R', away)).toContain('Not responding       Unknown   Unknown             n3\n');
    expect(await ask('-h -o %C', away)).toBe('4/0/20/24\n');
  });

  test('has a line without a worker, and one for a worker that came back', async () => {
    expect(await ask('-h', [])).toBe('main*        up   infinite      0    n/a \n');
    expect(await ask('-N -h', [])).toBe('');
    const twice = [aWorker('n1', { connected: false }), aWorker('n1', { freeCpus: 0 })];
    expect(await ask('-h -o %N|%t', twice)).toBe('n1|alloc\n');
  });

  test('reads its variables', async () => {
    expect(await ask('', IDLE, { SINFO_FORMAT: '%n' })).toBe('HOSTNAMES\nfar-away\n');
    expect(await ask('-h', IDLE, { SINFO_PARTITION: 'other' })).toBe('');
    expect(await ask('-h -o %N', busy, { SINFO_SORT: 'N' })).toBe('n[1-2,10]\n');
    expect(await ask('-h -o %N|%t', busy, { SINFO_SORT: '-N' })).toBe('n10|idle\nn2|alloc\nn1|mix\n');
  });

  test('writes JSON with the keys of Slurm', async () => {
    const { nodes, meta } = JSON.parse(await ask('--json', busy));
    expect(meta.Slurm.release).toBe('22.05.8');
    expect(nodes[0]).toMatchObject({ name: 'n1', state: 'mixed', cpus: 8, alloc_cpus: 4, partitions: ['main'] });
    expect(Object.keys(nodes[0]).toSorted()).toEqual(
      'active_features address alloc_cpus alloc_memory architecture boards boot_time burstbuffer_network_address comment cores cpu_binding cpu_load cpus extra features free_memory gres gres_drained gres_used hostname idle_cpus last_busy mcs_label name next_state_after_reboot next_state_after_reboot_flags operating_system owner partitions port real_memory reason reason_changed_at reason_set_by_user slurmd_start_time slurmd_version sockets state state_flags temporary_disk threads tres tres_used tres_weighted weight'.split(
        ' ',
      ),
    );
  });
});
