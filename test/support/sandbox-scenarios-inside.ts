import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { haltSandbox, readInit } from '../../src/providers/local/sandbox-directory.ts';
import { nativeProgram } from '../../src/providers/local/sandbox-programs.ts';
import { inside, nothingLeft, privateBytesOf, processes, processesUnder, type SandboxWorld } from './sandbox-world.ts';
import { until } from './until.ts';

/** What there is in a sandbox, what it shares and what it is held to. */
export const INSIDE_SCENARIOS: Readonly<Record<string, (world: SandboxWorld) => Promise<void>>> = {
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

  'gives its files to every user inside, but not its secrets, whatever umask its agent has': async (world) => {
    const before = process.umask(0o077);
    try {
      const machine = await world.host().start();
      const text = '127.0.0.1 localhost\n';
      await machine.write({
        hosts: { key: 'modes', text: () => text },
        hostfile: 'a\n',
        environment: "TOKEN='x'\n",
        'job-array.sh': 'true\n',
      });
      const modes = await inside(machine, 'cd /etc/spawn; stat -c "%a %n" environment hostfile hosts job-array.sh');
      equal(modes, '600 environment\n644 hostfile\n444 hosts\n644 job-array.sh');
      equal(await inside(machine, 'umask'), '0022');
    } finally {
      process.umask(before);
    }
  },

  // The user `nobody` has such a shell.
  'opens a login shell also for a user whose own one refuses every login': async (world) => {
    const machine = await world.host().start({ name: 'own-8' });
    const socket = join(world.directoryOf(machine.order.id), 'run/exec.sock');
    const said = execFileSync(nativeProgram('instance'), ['exec', '--socket', socket], { input: 'hostname\n' });
    equal(said.toString(), 'own-8\n');
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

  'lets no program inside take the place of its agent': async (world) => {
    const machine = await world.host().start();
    const gone: string[] = [];
    machine.onGone((why) => gone.push(why));
    const tries =
      'import socket\ns=socket.socket(socket.AF_UNIX)\ns.connect("/run/spawn/init.sock")\nprint(len(s.recv(100)))';
    equal(await inside(machine, `python3 -c '${tries}'`), '0');
    equal(typeof (await machine.activity()).cpuUs, 'number');
    deepEqual(gone, []);
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
    equal(await inside(machines[1]!, 'cat /etc/spawn/peers.json; ls /etc/spawn | grep link || true'), '[b]');
    ok(readdirSync(join(world.instances, '.shared')).length <= 2);
    await rejects(machines[0]!.write({ '../x': 'no' }), /below \/etc\/spawn/);
  },

  'reads what its array has, and cannot change that for the others': async (world) => {
    const { start } = world.host();
    const [a, b] = [await start({ arrayId: 'one-1' }), await start({ arrayId: 'one-1' })];
    const tell = async (version: number) => {
      const hosts = { key: `hosts-${version}`, version, text: () => `127.0.0.1 of-${version}\n` };
      for (const machine of [a, b]) await machine.write({ hosts });
    };
    await tell(1);
    const place = '/run/spawn/peers/.files';
    const tries = [
      'echo no >> /etc/hosts',
      `rm -f ${place}/hosts`,
      `echo no > ${place}/hostfile`,
      `chmod 666 ${place}/hosts`,
    ];
    for (const line of tries)
      equal(await inside(a, `(${line}) 2>/dev/null && echo changed || echo refused`), 'refused');
    equal(await inside(b, `cat /etc/hosts; ls ${place}`), '127.0.0.1 of-1\nhosts');
    await tell(2);
    for (const machine of [a, b]) equal(await inside(machine, 'cat /etc/hosts'), '127.0.0.1 of-2');
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
      await nothingLeft(instances);
      await until('the end of who removed it', () => spawnSync('umount', [`${folder}/m`]).status === 0);
    }
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

/** Paths of sockets are at most 107 bytes long, and temporary directories may be deep: another path to the same one. */
function shortPath(path: string): string {
  return `/proc/self/fd/${openSync(dirname(path), 'r')}/${basename(path)}`;
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

function nproc(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('nproc', { stdio: ['ignore', 'pipe', 'inherit'] });
    child.once('error', reject);
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(Number(text)));
  });
}
