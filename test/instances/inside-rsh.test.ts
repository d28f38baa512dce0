import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasProgram, requireOr } from '../support/require.ts';
import { until } from '../support/until.ts';
import { ended, Members } from './inside-members.ts';

const COUNT = 4;
let members: Members;
let work: string;
beforeAll(() => {
  members = new Members(COUNT);
  members.startAll();
  work = join(members.folder, 'work');
});
afterAll(() => members.close());

const rsh = (...argv: string[]) => members.run(0, ['spored', 'rsh', ...argv]);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/instances/${name}`, import.meta.url));

test.each<[string, string]>([
  ['its DNS name', 'm-2.abc.spore.host'],
  ['its DNS name with the root', 'm-2.abc.spore.host.'],
  ['the first part of it', 'm-2'],
  ['in capitals', 'M-2.ABC.spore.host'],
  ['its address', '127.77.0.12'],
  ['its id', 'i-002'],
  ['its index', '#2'],
  ['a user before it', 'ec2-user@m-2'],
])('a member is found by %s', async (_, host) => {
  const line = 'hostname; echo $JOB_ARRAY_INDEX of $JOB_ARRAY_SIZE';
  expect(await rsh(host, line)).toEqual({ code: 0, signal: null, out: 'm-2\n2 of 4\n', err: '' });
});

describe('a command there', () => {
  test('has the standard streams of the caller, apart, and its exit code comes back', async () => {
    const line = 'cat; echo oops >&2; exit 7';
    const ran = await members.run(0, ['spored', 'rsh', 'm-1', line], { input: 'in\n'.repeat(50_000) });
    expect([ran.code, ran.out, ran.err]).toEqual([7, 'in\n'.repeat(50_000), 'oops\n']);
    expect(await members.run(0, ['spored', 'rsh', '-n', 'm-1', 'cat'], { input: 'in\n' })).toMatchObject({
      code: 0,
      out: '',
    });
  });

  test.each<[string[], number]>([
    [['m-1', 'kill -KILL $$'], 128 + 9],
    [['m-1', 'no-such-program'], 127],
    [['m-1', 'true', '&&', 'exit', '5'], 5],
    [['m-1', '--', 'exit 6'], 6],
    [['-x', '-o', 'BatchMode=yes', '-oPort=1', '-p', '22', '-q', 'm-1', '-T', 'exit 8'], 8],
    [['-l', 'root', 'm-1', 'exit 9'], process.getuid?.() === 0 ? 9 : 255],
    [['m-1', 'printf "%s" "a  b"; exit 4'], 4],
  ])('%j ends with %i', async (argv, code) => {
    expect((await rsh(...argv)).code).toBe(code);
  });

  test.each<[string[], string]>([
    [['m-9', 'true'], 'expected a member of this array, found no "m-9" among 4'],
    [['-l', 'eve', 'm-1', 'true'], `-l: expected ${process.getuid?.() === 0 ? 'root' : ''}`],
    [['-N', 'm-1'], '-N: expected a command to run in a member, which has no network of its own'],
    [['-L', '80:x:80', 'm-1', 'true'], '-L: expected a command to run in a member, which has no network of its own'],
  ])('%j cannot be done', async (argv, says) => {
    expect(await rsh(...argv)).toMatchObject({ code: 255, err: expect.stringContaining(says) });
  });

  test('gets the signals of the caller, and ends with it', async () => {
    const line =
      'trap "echo INT; exit 3" INT; trap "echo TERM; exit 4" TERM; touch ready; while :; do sleep 0.01; done';
    for (const [signal, out, code] of [
      ['INT', 'INT\n', 3],
      ['TERM', 'TERM\n', 4],
    ] as const) {
      const child = members.begin(0, ['sh', '-c', 'echo $$ > pid; exec spored rsh m-1 "cd $PWD; $0"', line]);
      const end = ended(child);
      await until('it to run', async () => (await members.run(0, ['rm', 'ready'])).code === 0);
      await members.run(0, ['sh', '-c', `kill -${signal} $(cat pid)`]);
      expect(await end).toMatchObject({ code, out });
    }
    const child = members.begin(0, ['spored', 'rsh', 'm-1', `cd ${work}; touch ready; exec sleep 1003`]);
    await until('it to run', async () => (await members.run(0, ['rm', 'ready'])).code === 0);
    child.kill('SIGKILL');
    const left = () =>
      members.run(1, ['sh', '-c', "cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' | grep -c '[s]leep 1003'"]);
    await until('it to end', async () => (await left()).out.trim() === '0');
  });

  test('ends with 255 when the member ends meanwhile', async () => {
    const child = members.begin(0, ['spored', 'rsh', 'm-3', 'trap "" TERM; touch /tmp/ready; exec sleep 1004']);
    const end = ended(child);
    await until('it to run', async () => (await members.run(3, ['ls', '/tmp/ready'])).code === 0);
    const pid = readFileSync(join(members.directory(3), 'run/init'), 'utf8').split('\t')[0];
    process.kill(Number(pid), 'SIGKILL');
    expect(await end).toMatchObject({ code: 255, err: 'spored rsh: m-3: the instance has ended\n' });
    expect(await rsh('m-3', 'true')).toMatchObject({ code: 255, err: 'spored rsh: m-3: it is not running\n' });
    members.start(3);
    members.writePeers(3);
  });

  test('before all members run there is nobody to ask', async () => {
    const missing = { SPAWN_PEERS_FILE: '/nowhere' };
    const says = 'spored rsh: the members are not all running yet; see: spored wait-peers\n';
    expect(await members.run(0, ['spored', 'rsh', 'm-1', 'true'], { env: missing })).toMatchObject({
      code: 255,
      err: says,
    });
  });
});

test('ssh runs members itself, and leaves all other hosts to the real one', async () => {
  const folder = join(members.folder, 'real');
  mkdirSync(folder);
  writeFileSync(join(folder, 'ssh'), '#!/bin/sh\necho real "$@"\n');
  chmodSync(join(folder, 'ssh'), 0o755);
  const env = { PATH: `/run/spawn/bin:/usr/local/bin:${folder}:/usr/bin:/bin` };
  const ssh = (...argv: string[]) => members.run(0, ['ssh', ...argv], { env });
  expect(await ssh('-x', 'm-1.abc.spore.host', 'hostname')).toMatchObject({ code: 0, out: 'm-1\n' });
  expect(await ssh('-x', 'ada@example.org', 'a  b')).toMatchObject({ code: 0, out: 'real -x ada@example.org a  b\n' });
  expect(await ssh('-V')).toMatchObject({ code: 0, out: 'real -V\n' });
  const none = await members.run(0, ['ssh', 'example.org'], { env: { PATH: '/run/spawn/bin' } });
  expect(none).toMatchObject({
    code: 255,
    err: 'spored rsh: this host is no member of the array, and no other ssh is in PATH\n',
  });
});

const copies = requireOr(
  'openssh-client, openssh-sftp-server and pdsh',
  hasProgram('scp') && hasProgram('pdsh') && existsSync('/usr/lib/openssh/sftp-server'),
);
copies(
  'scp, sftp and pdsh reach members, though they do not look for ssh in PATH or give it options of old',
  async () => {
    const script = [
      'printf data > /tmp/a && scp -q /tmp/a m-1:/tmp/b && scp -q m-1:/tmp/b /tmp/c && cat /tmp/c && echo',
      'scp -O -q /tmp/a m-2:/tmp/b && ssh m-2 "cat /tmp/b; rm /tmp/b" && echo',
      'echo "get /tmp/b /tmp/d" | sftp -q -b - m-1 > /dev/null && cat /tmp/d && echo',
      'PDSH_RCMD_TYPE=ssh pdsh -w m-0,m-1 hostname | sort',
    ].join('\n');
    expect(await members.run(0, ['sh', '-c', script])).toMatchObject({
      code: 0,
      out: 'data\ndata\ndata\nm-0: m-0\nm-1: m-1\n',
    });
  },
);

test('ssh without a command on a terminal has one of its own there, so that its shell has job control', async () => {
  const line = `echo 'echo "at <$(ps -o tty= -p $$)>"; exit 4' | script -qec "ssh m-1" /dev/null`;
  const { out } = await members.run(0, ['sh', '-c', line], { env: { SHELL: '/bin/sh' } });
  expect(out).toMatch(/^at <pts\/\d+>/m);
});

const mpi = requireOr('openmpi-bin and libopenmpi-dev', hasProgram('mpirun') && hasProgram('mpicc'));
mpi('mpirun starts each rank inside its own instance, by the script of the documents as it stands', async () => {
  execFileSync('mpicc', ['-o', join(work, 'hello'), fixture('hello.c')]);
  const script = readFileSync(fixture('mpi.sh'), 'utf8');
  // What the agent puts into every environment: docs/in-instance.md.
  const env = {
    OMPI_MCA_rmaps_base_mapping_policy: 'node',
    OMPI_MCA_oob_tcp_if_include: 'lo',
    OMPI_MCA_btl_tcp_if_include: 'lo',
  };
  const ran = await Promise.all(
    Array.from({ length: COUNT }, (_, at) => members.run(at, ['bash', '-c', script], { env })),
  );
  expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(readFileSync(join(work, 'mpi.out'), 'utf8').trim().split('\n').toSorted()).toEqual(
    [0, 1, 2, 3].map((rank) => `rank ${rank} of 4 on m-${rank} sum 6`),
  );
});
