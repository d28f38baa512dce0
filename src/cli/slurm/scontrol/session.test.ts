import { describe, expect, test } from 'vitest';
import { aServer, runCli } from '../../../../test/support/cli-world.ts';

const scontrol = async (words: readonly string[], stdin?: string, env?: Record<string, string>) => {
  const { code, out, err } = await runCli(['scontrol', ...words], {
    client: { server: async () => aServer({ host: 'vm' }) },
    ...(stdin === undefined ? {} : { stdin }),
    ...(env === undefined ? {} : { world: { env } }),
  });
  return { code, out, err };
};

// Answers of scontrol of Slurm 22.05.8.
describe('words', () => {
  test.each([
    ['nosuch', 'invalid keyword: nosuch'],
    ['sh', 'invalid keyword: sh'],
    ['hol', 'invalid keyword: hol'],
    ['requeueh 1', 'invalid keyword: requeueh'],
    ['uh 1', 'invalid keyword: uh'],
    ['!!', 'invalid keyword: !!'],
    ['-', 'invalid keyword: -'],
    ['show', 'too few arguments for keyword:show'],
    ['sho', 'too few arguments for keyword:sho'],
    ['hold', 'too few arguments for keyword:hold'],
    ['requeuehold', 'too few arguments for keyword:requeuehold'],
    ['top', 'too few arguments for keyword:top'],
    ['u', 'too few arguments for u keyword'],
    ['pidinfo', 'missing argument for keyword:pidinfo'],
    ['show job 1 2', 'too many arguments for keyword:show'],
    ['ping extra', 'too many arguments for keyword:ping'],
    ['write batch_script 1 a b', 'too many arguments for keyword:write'],
    ['show nosuch', 'invalid entity:nosuch for keyword:show '],
    ['write nosuch 1', 'invalid write argument:nosuch'],
    ['write', 'too few arguments for keyword:write'],
    ['reconfigure', 'slurm_reconfigure error: Requested operation not supported on this system'],
    ['update nodename=n1 state=drain', 'slurm_update error: Requested operation not supported on this system'],
    ['show hostlist', 'invalid encode argument'],
    ['show job abc', 'scontrol_print_job error: Invalid job id specified'],
    ['show job 1,3', 'scontrol_print_job error: Invalid job id specified'],
    ['pidinfo 1', 'Failed to locate job for requested pid'],
  ])('%s', async (line, said) => {
    expect(await scontrol(line.split(' '))).toEqual({ code: 1, out: '', err: `${said}\n` });
  });

  test.each([
    ['exit', ''],
    ['QUIT', ''],
    ['oneliner', ''],
    ['d', ''],
    ['all', ''],
    ['VERS', 'slurm 22.05.8\n'],
    ['pin', 'Slurmctld(primary) at vm is UP\n'],
    ['show hostn n[1-3],m5', 'n1\nn2\nn3\nm5\n'],
    ['SHOW HOSTNAMES a[08-10]', 'a08\na09\na10\n'],
    ['show hostlist n1,n2,n3,m5', 'n[1-3],m5\n'],
    ['show hostlistsorted n3,n1,n2,n10', 'n[1-3,10]\n'],
    ['show daemons', 'slurmctld slurmd\n'],
    ['show licenses', 'No licenses configured in Slurm.\n'],
    ['show res', 'No reservations in the system\n'],
    ['cluster spawn', ''],
    ['write batch_script', ''],
  ])('%s answers', async (line, out) => {
    expect(await scontrol(line.split(' '))).toEqual({ code: 0, out, err: '' });
  });

  test('what is not there is said on standard output, and fails', async () => {
    expect(await scontrol(['show', 'reservation', 'x'])).toEqual({
      code: 1,
      out: 'Reservation x not found\n',
      err: '',
    });
    expect(await scontrol(['show', 'partition', 'x'])).toEqual({ code: 1, out: 'Partition x not found\n', err: '' });
    expect(await scontrol(['show', 'node', 'x'])).toEqual({ code: 1, out: 'Node x not found\n', err: '' });
  });

  test('a surplus word of version is said, and the version too', async () => {
    expect(await scontrol(['version', 'x'])).toEqual({
      code: 1,
      out: 'slurm 22.05.8\n',
      err: 'too many arguments for version keyword\n',
    });
  });

  test('options are read by the rules of getopt', async () => {
    expect(await scontrol(['--nosuch'])).toEqual({
      code: 1,
      out: '',
      err: 'scontrol: unrecognized option \'--nosuch\'\nTry "scontrol --help" for more information\n',
    });
    expect(await scontrol(['show', 'job', '1', '--json'])).toMatchObject({ code: 1, out: '' });
    expect(await scontrol(['-Q', 'nosuch'])).toEqual({ code: 1, out: '', err: '' });
    expect((await scontrol(['help'])).out).toBe((await scontrol(['--help'])).out);
  });

  test('hosts of the job are those without a list; none are said', async () => {
    expect((await scontrol(['show', 'hostnames'], undefined, { SLURM_JOB_NODELIST: 'b[1-2]' })).out).toBe('b1\nb2\n');
    expect(await scontrol(['show', 'hostnames'], undefined, {})).toEqual({
      code: 0,
      out: '',
      err: 'scontrol: error: host list is empty\n',
    });
    expect(await scontrol(['show', 'hostnames', 'n[3-1]'])).toEqual({
      code: 0,
      out: '',
      err: "scontrol: error: _parse_single_range: Invalid range: `3-1'\nInvalid hostlist: n[3-1]\n",
    });
  });

  test('a coordinator that does not run is down, and is not started', async () => {
    const ran = await runCli(['scontrol', 'ping'], { world: { connectIfRunning: async () => undefined } });
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^Slurmctld\(primary\) at \S+ is DOWN\n$/);
  });
});

describe('commands from standard input', () => {
  test('are shown behind the prompt, and one that fails does not end it', async () => {
    expect(await scontrol([], 'version\nnosuch\nshow hostnames a[1-2]\n\nversion\nquit\nversion\n')).toEqual({
      code: 1,
      out: 'scontrol: version\nslurm 22.05.8\nscontrol: nosuch\nscontrol: show hostnames a[1-2]\na1\na2\nscontrol: \nscontrol: version\nslurm 22.05.8\nscontrol: quit\n',
      err: 'invalid keyword: nosuch\n',
    });
  });

  test('end with the input', async () => {
    expect(await scontrol([], 'version')).toEqual({
      code: 0,
      out: 'scontrol: version\nslurm 22.05.8\nscontrol: \n',
      err: '',
    });
    expect(await scontrol([])).toEqual({ code: 0, out: 'scontrol: \n', err: '' });
  });

  test('switch on what options do, and !! repeats the one before', async () => {
    const { out } = await scontrol([], 'quiet\nnosuch\nshow hostlist n1,n2\n!!\n');
    expect(out.match(/^n\[1-2\]$/gm)).toHaveLength(2);
    expect((await scontrol([], 'quiet\nnosuch\n')).err).toBe('');
    expect((await scontrol([], 'quiet\nverbose\nnosuch\n')).err).toBe('invalid keyword: nosuch\n');
  });
});
