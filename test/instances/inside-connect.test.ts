import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instanceProgram } from '../../src/providers/local/sandbox-programs.ts';
import { hasProgram, requireOr } from '../support/require.ts';
import { until } from '../support/until.ts';
import { ended, Members } from './inside-members.ts';

let members: Members;
let socket: string;
beforeAll(() => {
  members = new Members(1);
  members.startAll();
  socket = join(members.directory(0), 'run/exec.sock');
});
afterAll(() => members.close());

const client = (...words: string[]) =>
  spawn(instanceProgram(members.programs), ['exec', ...words], { argv0: 'instance' });

test.each<[string[], string]>([
  [[], 'expected --socket PATH, found none'],
  [['--socket'], '--socket: expected a value, found none'],
  [['--socket', 'a', '--socket', 'b'], '--socket: expected it once, found it twice'],
  [['--sockets', 'a'], 'unknown option "--sockets"; see: instance exec --help'],
  [['--socket', 'a', '--env', 'X'], '--env: expected NAME=VALUE, found "X"'],
  [['--socket', 'a', '--env', '=X'], '--env: expected NAME=VALUE, found "=X"'],
  [['--socket', 'a', '--grace', '5'], '--grace: expected a unit after each number (d, h, m, s or ms), found "5"'],
  [['--socket', 'a', '--grace', '1h'], '--grace: expected at most 10m, found "1h"'],
  [['--socket', 'a', '--tty'], '--tty: expected standard input to be a terminal, found that it is none'],
])('exec %j is refused', async (words, says) => {
  expect(await ended(client(...words))).toMatchObject({ code: 2, out: '', err: `spored exec: ${says}\n` });
});

describe('without a terminal', () => {
  test('a login shell reads its commands from a pipe', async () => {
    const child = client('--socket', socket, '--login');
    const end = ended(child);
    child.stdin?.end('echo $JOB_ARRAY_INDEX $0; hostname; exit 12\n');
    const { code, out } = await end;
    expect([code, out]).toEqual([12, expect.stringMatching(/^0 -\w+\nm-0\n$/)]);
  });

  test('passes on variables, directory and signals', async () => {
    const words = ['--socket', socket, '--env', 'A=b=c d', '--cwd', '/etc/spawn', '--'];
    const plain = await ended(client(...words, 'sh', '-c', 'echo "$A"; pwd'));
    expect(plain).toEqual({ code: 0, signal: null, out: 'b=c d\n/etc/spawn\n', err: '' });
    const child = client(...words, 'sh', '-c', 'trap "exit 3" USR1; echo ready; while :; do sleep 0.01; done');
    const end = ended(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGUSR1');
    expect(await end).toMatchObject({ code: 3 });
  });

  test.each<[string[], number, string]>([
    [['--cwd', '/no/where', '--', 'true'], 125, 'directory: No such file or directory'],
    [['--', '/etc/passwd'], 126, 'program: Permission denied'],
    [['--', 'no-such-program'], 127, 'program: No such file or directory'],
    [['--', 'sh', '-c', ':', 'x'.repeat(1_100_000)], 126, 'the command line is too long'],
  ])('what cannot be started: %#', async (words, code, says) => {
    // A word of a command line has at most 128 KiB, so that of the last is put together by a shell's here.
    const long =
      words.at(-1)!.length > 100_000 ? [...words.slice(0, -1), ...Array(11).fill('x'.repeat(100_000))] : words;
    const { code: found, err } = await ended(client('--socket', socket, ...long));
    expect([found, err]).toEqual([code, `spored exec: ${says}\n`]);
  });

  test('no instance there', async () => {
    const says = 'spored exec: it is not running\n';
    expect(await ended(client('--socket', '/no/where', '--', 'true'))).toMatchObject({ code: 255, err: says });
  });
});

const withTerminal = requireOr('python3', hasProgram('python3'));

/** Runs the client on a terminal of its own, which tells its modes before and after, and is typed to line by line. */
const ON_TERMINAL = `
import os, pty, select, signal, sys, termios, time, fcntl, struct
steps, words = eval(sys.argv[1]), sys.argv[2:]
master, slave = pty.openpty()
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2): os.dup2(slave, fd)
    os.execv(words[0], ["instance"] + words[1:])
seen = b""
def await_text(text):
    global seen
    until = time.time() + 20
    while text not in seen:
        if time.time() > until: print("waited in vain for", text, "found", seen); os.kill(pid, 9); sys.exit(99)
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 4096)
    seen = seen.split(text, 1)[1]
for text, action in steps:
    await_text(text.encode())
    if isinstance(action, int): os.kill(pid, action)
    elif action == "resize":
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 77, 0, 0)); os.kill(pid, signal.SIGWINCH)
        os.write(master, b"stty size\\r")
    elif action: os.write(master, action.encode())
status = os.waitpid(pid, 0)[1]
print(os.waitstatus_to_exitcode(status), termios.tcgetattr(slave) == before)
`;

type Step = readonly [string, string | number];
function onTerminal(steps: readonly Step[], ...command: string[]) {
  const words = [
    instanceProgram(members.programs),
    'exec',
    '--socket',
    socket,
    '--tty',
    '--grace',
    '50ms',
    '--env',
    'PS1=$ ',
    '--',
    ...command,
  ];
  return spawnSync('python3', ['-c', ON_TERMINAL, JSON.stringify(steps), ...words], { encoding: 'utf8' });
}

describe('on a terminal', () => {
  withTerminal('a shell has it as its own, with its size, and the one here is as before in the end', () => {
    const steps: Step[] = [
      ['$ ', 'tty; stty size\r'],
      // What it prints it prints in the foreground; the echo of the line comes before there is anything to interrupt.
      ['40 120', 'sh -c "printf %s%s be gun; exec sleep 1005"\r'],
      ['begun', '\u0003'],
      ['$ ', 'resize'],
      ['11 77', 'echo code $?; exit 7\r'],
    ];
    expect(onTerminal(steps, 'sh', '-i').stdout).toBe('7 True\n');
  });

  withTerminal.each([
    ['TERM', 15],
    ['HUP', 1],
    ['INT', 2],
  ])('%s to the client leaves no raw terminal, and nothing over there', async (_, signal) => {
    const script = `trap "" TERM HUP INT; echo ready; while :; do sleep 10${signal}6; done`;
    expect(onTerminal([['ready', signal]], 'sh', '-c', script).stdout).toBe(`${128 + signal} True\n`);
    const look = `cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' ' ' | grep -c '[s]leep 10${signal}6'`;
    await until('it to end', async () => (await members.run(0, ['sh', '-c', look])).out.trim() === '0');
  });

  withTerminal('the end of the instance does too', async () => {
    const pid = Number((await members.run(0, ['cat', '/run/spawn/init'])).out.split('\t')[0]);
    const python = spawn('python3', [
      ...['-c', ON_TERMINAL, JSON.stringify([['ready', '']])],
      ...[
        instanceProgram(members.programs),
        'exec',
        '--socket',
        socket,
        '--tty',
        '--',
        'sh',
        '-c',
        'touch /tmp/on; echo ready; exec sleep 1007',
      ],
    ]);
    const end = ended(python);
    await until('it to run', async () => (await members.run(0, ['ls', '/tmp/on'])).code === 0);
    process.kill(pid, 'SIGKILL');
    expect((await end).out).toBe('255 True\n');
  });
});
