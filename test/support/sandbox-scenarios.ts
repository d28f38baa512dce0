import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeSandbox, haltSandbox, readEnding, readInit } from '../../src/providers/local/sandbox-directory.ts';
import type { Machine } from '../../src/providers/provider.ts';
import { writeCommand, writeRun } from '../../src/worker/forker/commands.ts';
import { readEnded } from '../../src/worker/forker/events.ts';
import { Command, Event } from '../../src/worker/forker/protocol.ts';
import { FrameSplitter, FrameWriter } from '../../src/worker/forker/wire.ts';
import { inside, privateBytesOf, processes, processesUnder, type SandboxWorld } from './sandbox-world.ts';
import { until } from './until.ts';

/** What a sandbox must do, for whoever starts it: run as root and as an ordinary user by src/providers/local/sandbox.test.ts. */
export const SCENARIOS: Readonly<Record<string, (world: SandboxWorld) => Promise<void>>> = {
  'has a name, a view of /etc and files of its own': async (world) => {
    const machine = await world.host().start({ name: 'own-7' });
    equal(await inside(machine, 'hostname'), 'own-7');
    notEqual(hostname(), 'own-7');
    equal(await inside(machine, 'cat /etc/hostname'), 'own-7');
    match(await inside(machine, 'cat /etc/hosts'), /own-7/);
    ok(!readFileSync('/etc/hosts', 'utf8').includes('own-7'));
    equal(await inside(machine, 'cat /etc/passwd'), readFileSync('/etc/passwd', 'utf8').trim());
    equal(await inside(machine, 'echo mine > /tmp/file; echo log > /var/log/file; ls /tmp'), 'file');
    equal(readFileSync(join(world.directoryOf(machine.order.id), 'tmp/file'), 'utf8'), 'mine\n');
    equal(await inside(machine, 'command -v spored'), '/run/spawn/bin/spored');
    equal(await inside(machine, 'echo shared > /dev/shm/x && ls /dev/shm'), 'x');
    // Its files are replaced whole.
    await machine.write({
      hosts: '127.0.0.1 localhost\n127.4.0.9 friend\n',
      environment: "GREETING='it'\\''s me'\nTWO='a\nb'\n",
    });
    match(await inside(machine, 'getent hosts friend'), /^127\.4\.0\.9 /);
    equal(await inside(machine, 'printf "%s|%s" "$GREETING" "$TWO"'), "it's me|a\nb");
    await machine.write({ hosts: null, environment: null });
    equal(await inside(machine, 'ls /etc/spawn/hosts 2>/dev/null || echo none'), 'none');
  },

  'sees the directories that it was given and its own directory to work in, also below /tmp': async (world) => {
    const cwd = join(world.instances, '../work');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'input'), 'from outside');
    writeFileSync(join(world.data, 'log'), 'a log');
    const machine = await world.host().start({ cwd });
    equal(await inside(machine, `cat ${cwd}/input`), 'from outside');
    equal(await inside(machine, `cat ${machine.inside(join(world.data, 'log'))}`), 'a log');
    equal(machine.inside('/usr/bin'), '/usr/bin');
    await inside(machine, `echo result > ${cwd}/output`);
    equal(readFileSync(join(cwd, 'output'), 'utf8'), 'result\n');
  },

  'has processes of its own, which die with its first one': async (world) => {
    const host = world.host();
    const machine = await host.start();
    const init = readInit(world.directoryOf(machine.order.id))!;
    await inside(machine, 'setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 >/dev/null 2>&1 &) ; sleep 0');
    const listed = await inside(machine, 'ps -e -o comm=');
    ok(!listed.includes('node'), listed);
    const all = await until('two sleeps', () => {
      const found = processesUnder(init.pid);
      return found.length >= 4 && found;
    });
    const gone = new Promise<string>((resolve) => machine.onGone(resolve));
    process.kill(init.pid, 'SIGKILL');
    equal(await gone, 'it was killed');
    await until('the end of all', () => all.every((pid) => processes.identify(pid) === undefined));
    equal(describeSandbox(world.directoryOf(machine.order.id), processes), 'down');
    await rejects(machine.activity());
  },

  'ends at its deadline with no agent, and is not started again': async (world) => {
    const first = world.host();
    const machine = await first.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(
      machine,
      'setsid sh -c "trap \\"echo ended > /tmp/trapped; exit\\" TERM; while :; do sleep 0.01; done" >/dev/null 2>&1 &',
    );
    await machine.setDeadline(300);
    await first.host.close();
    await until('its end', () => !processes.isAlive(init));
    equal(readEnding(directory), 'deadline');
    equal(readFileSync(join(directory, 'tmp/trapped'), 'utf8'), 'ended\n');
    equal(describeSandbox(directory, processes), 'down');
    const second = world.host();
    await second.start();
    equal(describeSandbox(directory, processes), 'down');
  },

  'holds the TTL of its order before any agent sets another': async (world) => {
    const host = world.host();
    const machine = await host.start({ ttlMs: 60_000 });
    const file = join(world.directoryOf(machine.order.id), 'run/deadline');
    ok(Number(readFileSync(file, 'utf8')) > 0);
    await machine.setDeadline(undefined);
    equal(readFileSync(file, 'utf8'), 'never\n');
  },

  'is taken over by another agent, with every word of its forker': async (world) => {
    const first = world.host();
    const machine = await first.start();
    equal(machine.adopted, false);
    const words = collect(await machine.forker());
    await run(machine, world, 7, ['/bin/sh', '-c', 'echo hello; exit 3']);
    await until('its end', () => ended(words).get(7) === 3);
    await first.host.close();

    const second = world.host();
    const same = await second.machine(machine.order.id);
    equal(same.adopted, true);
    const again = collect(await same.forker());
    await until('the same words', () => Buffer.concat(again).equals(Buffer.concat(words)));
    await run(same, world, 8, ['/bin/sh', '-c', 'exit 4']);
    await until('the next end', () => ended(again).get(8) === 4);
    equal(same.inside(world.data), machine.inside(world.data));
  },

  'keeps its forker when an agent dies in the middle of a frame, and when it asks for its end': async (world) => {
    const first = world.host();
    const machine = await first.start();
    const forker = await machine.forker();
    const frames = new FrameWriter();
    writeCommand(frames, { type: Command.QUIT });
    writeCommand(frames, { type: Command.LEASE, ms: 1, clock: 'boottime', graceMs: 0, sentAtUs: 0 });
    forker.send(Uint8Array.from(frames.take()));
    forker.send(new Uint8Array([200, 0, 0, 0, 5, 1]));
    await machine.activity();
    await first.host.close();
    const same = await world.host().machine(machine.order.id);
    const words = collect(await same.forker());
    await run(same, world, 9, ['/bin/true']);
    await until('its end', () => ended(words).get(9) === 0);
  },

  'freezes everything and goes on': async (world) => {
    const machine = await world.host().start();
    const directory = world.directoryOf(machine.order.id);
    const ticks = join(directory, 'tmp/ticks');
    await inside(machine, 'setsid sh -c "while :; do echo x >> /tmp/ticks; sleep 0.005; done" >/dev/null 2>&1 &');
    await inside(machine, '(sleep 1000 & kill -STOP $!; echo $! > /tmp/stopped) >/dev/null 2>&1');
    await until('ticks', () => existsSync(ticks));
    await machine.freeze();
    const init = readInit(directory)!.pid;
    const states = () =>
      processesUnder(init)
        .slice(1)
        .map((pid) => [readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), stateOf(pid)] as const);
    await until('all stopped', () => states().every(([name, state]) => name === '.forker' || state === 'T'));
    const before = statSync(ticks).size;
    equal((await machine.run('true', 5_000)).code !== 0, true, 'nothing is started in a frozen one');
    await machine.activity();
    equal(statSync(ticks).size, before);
    await machine.thaw();
    await until('more ticks', () => statSync(ticks).size > before);
    const pid = await inside(machine, 'cat /tmp/stopped');
    match(await inside(machine, `cat /proc/${pid}/stat`), /\) T /, 'what was stopped before stays so');
  },

  'stops with its disk kept, and starts again with it': async (world) => {
    const host = world.host();
    const machine = await host.start();
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    await inside(machine, 'echo data > /tmp/kept; echo own > /etc/own.conf; setsid sleep 1000 >/dev/null 2>&1 &');
    let gone = 0;
    machine.onGone(() => {
      gone += 1;
    });
    const all = processesUnder(init.pid);
    await machine.stop(1_000);
    deepEqual(
      all.filter((pid) => processes.identify(pid) !== undefined),
      [],
    );
    equal(readEnding(directory), 'stop');
    equal(describeSandbox(directory, processes), 'down');
    equal(gone, 0);
    const again = await host.start({ id: machine.order.id, name: machine.order.name });
    equal(again.adopted, false);
    equal(await inside(again, 'cat /tmp/kept /etc/own.conf'), 'data\nown');
  },

  'kills what does not listen after the grace': async (world) => {
    const machine = await world.host().start();
    await inside(machine, 'setsid sh -c "trap : TERM; while :; do sleep 0.01; done" >/dev/null 2>&1 &');
    await machine.stop(50);
    equal(describeSandbox(world.directoryOf(machine.order.id), processes), 'down');
  },

  'leaves nothing when it is terminated': async (world) => {
    const host = world.host();
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const machine = await host.start({ type: { name: 't3.micro', vcpus: 1, memoryBytes: 256 * 2 ** 20, gpus: 0 } });
    const directory = world.directoryOf(machine.order.id);
    const init = readInit(directory)!;
    const group = join(directory, 'run/cgroup');
    const path = existsSync(group) ? readFileSync(group, 'utf8').trim() : undefined;
    await inside(
      machine,
      'mkdir -p /tmp/closed/in && chmod 000 /tmp/closed; rm -f /etc/own; touch /etc/own; setsid sleep 1000 >/dev/null 2>&1 &',
    );
    const all = processesUnder(init.pid);
    ok(existsSync(join(world.instances, '.arrays', machine.order.arrayId)));
    await machine.terminate(500);
    deepEqual(
      all.filter((pid) => processes.identify(pid) !== undefined),
      [],
    );
    equal(existsSync(directory), false);
    equal(existsSync(join(world.instances, '.arrays', machine.order.arrayId)), false);
    if (path !== undefined) equal(existsSync(path), false);
    equal(readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length, mounts.split('\n').length);
    equal(describeSandbox(directory, processes), 'gone');
  },

  'is ended without an agent': async (world) => {
    const host = world.host();
    const machine = await host.start({ type: { name: 't3.micro', vcpus: 1, memoryBytes: 256 * 2 ** 20, gpus: 0 } });
    const directory = world.directoryOf(machine.order.id);
    await host.host.close();
    await haltSandbox(directory, 'stop', processes);
    equal(describeSandbox(directory, processes), 'down');
    await haltSandbox(directory, 'terminate', processes);
    await haltSandbox(directory, 'terminate', processes);
    equal(existsSync(directory), false);
  },

  'tells exit codes, output and descriptors of what it is told to run': async (world) => {
    const machine = await world.host().start();
    deepEqual(await machine.run('echo out; echo err >&2; exit 7', 5_000), { code: 7, output: 'out\nerr\n' });
    equal((await machine.run('kill -9 $$', 5_000)).code, 137);
    match(await inside(machine, 'ls -l /proc/self/fd'), /^total 0\n(.* [0-3] -> .*\n?){4}$/);
    equal(
      await inside(machine, 'umask; ps -o sid= -p $$ | tr -d " "; echo $$').then(
        (text) => new Set(text.split('\n').slice(1)).size,
      ),
      1,
    );
    // The command ends with its client.
    const late = await machine.run('echo $$ > /tmp/late; sleep 1000', 200);
    equal(late.code, null);
    const pid = await inside(machine, 'cat /tmp/late');
    await until('its end', async () => (await machine.run(`kill -0 ${pid}`, 5_000)).code !== 0);
  },

  'refuses what is no request at its exec socket': async (world) => {
    const machine = await world.host().start();
    const socket = join(world.directoryOf(machine.order.id), 'run/exec.sock');
    for (const bytes of [Buffer.alloc(24), Buffer.from('GET / HTTP/1.1\r\n\r\nhello there'), Buffer.from([0x53])]) {
      await new Promise<void>((resolve) => {
        const client = connect(shortPath(socket), () => client.end(bytes));
        client.on('error', () => {});
        client.once('close', () => resolve());
        client.resume();
      });
    }
    equal(await inside(machine, 'echo well'), 'well');
  },

  'counts what ran in it, also what has ended': async (world) => {
    const machine = await world.host().start();
    const before = await machine.activity();
    equal(before.processes, 0);
    equal(before.networkBytes, undefined);
    await inside(machine, 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done');
    await inside(machine, '(head -c 3000000 /dev/zero > /tmp/big; sync /tmp/big)');
    const after = await machine.activity();
    ok(after.cpuUs - before.cpuUs >= 10_000, `${after.cpuUs - before.cpuUs} us of CPU`);
    ok(
      after.diskBytes - before.diskBytes >= 3_000_000 || /tmpfs/.test(machine.order.id),
      `${after.diskBytes} bytes of disk`,
    );
    equal(after.processes, 0);
    equal(after.logins, 0);
  },

  'answers the command inside through the agent': async (world) => {
    const machine = await world.host().start();
    const asked: unknown[] = [];
    const socket = shortPath(join(world.directoryOf(machine.order.id), 'run/agent.sock'));
    const said = talk(socket, '{"command":"status","n":1}\nnonsense\n{"command":"fails"}\n', 3);
    machine.onInside(async (request) => {
      asked.push(request);
      if ((request.command as string) === 'fails') throw new Error('no such verb');
      return { ok: true, state: 'running' };
    });
    deepEqual(await said, [
      { ok: true, state: 'running' },
      { ok: false, error: 'expected a JSON object in one line' },
      { ok: false, error: 'no such verb' },
    ]);
    equal(asked.length, 2);
  },

  'shares a text between instances': async (world) => {
    const host = world.host();
    const machines = [await host.start(), await host.start()];
    const file = (key: string) => ({ key, text: () => `[${key}]` });
    for (const key of ['a', 'a', 'b']) {
      for (const machine of machines) await machine.write({ 'peers.json': file(key) });
    }
    const paths = machines.map((machine) => join(world.directoryOf(machine.order.id), 'spawn/peers.json'));
    equal(statSync(paths[0]!).ino, statSync(paths[1]!).ino);
    equal(
      await inside(
        machines[1]!,
        'cat /etc/spawn/peers.json; ls /etc/spawn | grep -c link'.replace(' | grep -c link', ' | grep link || true'),
      ),
      '[b]',
    );
    ok(readdirSync(join(world.instances, '.shared')).length <= 2);
    await rejects(machines[0]!.write({ '../x': 'no' }), /below \/etc\/spawn/);
  },

  'is reached by members of its array alone': async (world) => {
    const host = world.host();
    const [a, b] = [await host.start({ arrayId: 'one-1' }), await host.start({ arrayId: 'one-1' })];
    const other = await host.start({ arrayId: 'two-2' });
    equal(
      await inside(a!, `spored exec 2>/dev/null; ls /run/spawn/peers/${b!.order.id}.exec`),
      `/run/spawn/peers/${b!.order.id}.exec`,
    );
    equal(await inside(a!, `ls /run/spawn/peers/${other.order.id}.exec 2>/dev/null || echo none`), 'none');
    await b!.terminate(100);
    equal(await inside(a!, `ls /run/spawn/peers/${b!.order.id}.exec 2>/dev/null || echo none`), 'none');
  },

  'is held to the memory of its type': async (world) => {
    const machine = await world.host().start({ type: { name: 'small', vcpus: 1, memoryBytes: 64 * 2 ** 20, gpus: 0 } });
    const eater = 'import time; b = bytearray(200 * 2 ** 20); time.sleep(1000)';
    equal((await machine.run(`python3 -c '${eater}'`, 20_000)).code, 137);
    equal(await inside(machine, 'echo alive'), 'alive');
    const log = join(world.directoryOf(machine.order.id), 'log/spawn.log');
    await until('a line of the log', () => /memory: /.test(readFileSync(log, 'utf8')));
  },

  'is held to the processors of its type': async (world) => {
    const host = world.host();
    const machine = await host.start({ type: { name: 'small', vcpus: 1, memoryBytes: 0, gpus: 0 } });
    equal(await inside(machine, 'nproc'), '1');
    const large = await host.start({ type: { name: 'large', vcpus: 4096, memoryBytes: 0, gpus: 0 } });
    equal(await inside(large, 'nproc'), String(await nproc()));
  },

  'does without an overlay where the disk takes none': async (world) => {
    if (process.getuid?.() !== 0) return;
    // The upper directory of an overlay may not be on another overlay.
    const folder = join(world.instances, '../layered');
    for (const name of ['', '/l', '/u', '/w', '/m']) mkdirSync(folder + name);
    const options = `lowerdir=${folder}/l,upperdir=${folder}/u,workdir=${folder}/w`;
    execFileSync('mount', ['-t', 'overlay', 'test', '-o', options, `${folder}/m`]);
    const instances = `${folder}/m/i`;
    const host = world.host(instances);
    try {
      const machine = await host.start({ name: 'plain' });
      const directory = join(instances, machine.order.id);
      equal(await inside(machine, 'cat /etc/hostname'), 'plain');
      equal(await inside(machine, 'cat /etc/passwd'), readFileSync('/etc/passwd', 'utf8').trim());
      equal(await inside(machine, 'command -v spored'), '/run/spawn/bin/spored');
      equal(await inside(machine, 'sh -lc "ls /etc/profile.d/job-array.sh"'), '/etc/profile.d/job-array.sh');
      match(readFileSync(join(directory, 'log/spawn.log'), 'utf8'), /no overlay for \/etc/);
      await machine.stop(100);
      const again = await host.start({ id: machine.order.id, name: 'plain' });
      equal(await inside(again, 'cat /etc/hostname'), 'plain');
      await again.terminate(100);
      equal(existsSync(directory), false);
    } finally {
      await host.host.close();
      for (const id of readdirSync(instances).filter((name) => !name.startsWith('.')))
        await haltSandbox(join(instances, id), 'stop', processes);
      execFileSync('umount', [`${folder}/m`]);
    }
  },

  'says why it cannot be started, and leaves nothing that runs': async (world) => {
    const host = world.host();
    const id = host.request({ name: 'x'.repeat(70) });
    await until('its failure', () => host.failed.length > 0);
    match(host.failed[0]!, /machine\.conf/);
    const directory = world.directoryOf(id);
    equal(describeSandbox(directory, processes), 'down');
    match(readEnding(directory)!, /^failed: /);
  },

  'is small, and quickly there, also as one of 50': async (world) => {
    const host = world.host();
    const before = performance.now();
    const ids = Array.from({ length: 50 }, () => host.request({}));
    const machines = await Promise.all(ids.map((id) => host.machine(id)));
    const tookMs = performance.now() - before;
    const bytes = machines.map(({ order }) =>
      processesUnder(readInit(world.directoryOf(order.id))!.pid).reduce((sum, pid) => sum + privateBytesOf(pid), 0),
    );
    const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
    console.log(`50 sandboxes: ${Math.round(tookMs)} ms together, ${Math.round(mean / 1024)} KiB of their own each`);
    ok(mean < 3 * 2 ** 20, `${mean} bytes each`);
    await Promise.all(machines.map((machine) => machine.terminate(0)));
    deepEqual(
      readdirSync(world.instances).filter((name) => !name.startsWith('.')),
      [],
    );
  },
};

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
}

/** Paths of sockets are at most 107 bytes long; tests run where temporary directories may be deep. */
function shortPath(path: string): string {
  ok(Buffer.byteLength(path) <= 107, `a shorter TMPDIR is needed for ${path}`);
  return path;
}

function talk(socket: string, text: string, replies: number): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    let said = '';
    const client = connect(socket, () => client.write(text));
    client.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      const lines = said.split('\n').slice(0, -1);
      if (lines.length < replies) return;
      client.destroy();
      resolve(lines.map((line) => JSON.parse(line) as unknown));
    });
    client.once('error', reject);
  });
}

function collect(forker: { onData(listener: (bytes: Uint8Array) => void): void }): Buffer[] {
  const words: Buffer[] = [];
  forker.onData((bytes) => words.push(Buffer.from(bytes)));
  return words;
}

/** Exit codes by fence. */
function ended(words: readonly Buffer[]): Map<number, number> {
  const codes = new Map<number, number>();
  const splitter = new FrameSplitter((type, from) => {
    if (type !== Event.ENDED) return;
    const { fence, end } = readEnded(from);
    codes.set(fence, end.kind === 'exited' ? end.code : -end.signal);
  });
  splitter.push(Buffer.concat(words));
  return codes;
}

async function run(machine: Machine, world: SandboxWorld, fence: number, argv: readonly string[]): Promise<void> {
  const frames = new FrameWriter();
  const logDir = machine.inside(world.data);
  writeCommand(frames, { type: Command.LOGS, logDir, sessionTag: `s${fence}`, maxSegmentBytes: 1 << 20 });
  writeCommand(frames, { type: Command.ENV, envId: 1, env: ['PATH=/usr/bin:/bin'] });
  writeRun(frames, {
    fence,
    jobId: 1,
    position: 0,
    attempt: 1,
    envId: 1,
    argv,
    cwd: '/',
    graceMs: 1000,
    logCapBytes: 1 << 20,
  });
  (await machine.forker()).send(Uint8Array.from(frames.take()));
}

function nproc(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('nproc', { stdio: ['ignore', 'pipe', 'inherit'] });
    child.once('error', reject);
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text)));
  });
}
