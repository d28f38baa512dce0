import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let box: Sandbox;
beforeAll(() => {
  box = makeSandbox();
});
afterAll(() => box.close());

const scontrol = (line: string, options?: RunOptions) => box.spawn(['scontrol', ...line.split(' ')], options);

/** The number of a job that waits for the file of its own name in the folder. */
async function submit(...words: string[]): Promise<string> {
  const script = '#!/bin/sh\nuntil [ -e "go-$SLURM_JOB_NAME" ]; do sleep 0.05; done\n';
  writeFileSync(join(box.folder, 'wait.sh'), script);
  const ran = await box.spawn(['sbatch', '--parsable', '-o', '/dev/null', ...words, 'wait.sh']);
  expect(ran).toMatchObject({ code: 0, err: '' });
  return ran.out.trim();
}

async function fieldOf(id: string, name: string): Promise<string | undefined> {
  const { out } = await scontrol(`-o show job ${id}`);
  return new RegExp(`(?:^| )${name}=(\\S*)`).exec(out)?.[1];
}

async function become(id: string, state: string): Promise<void> {
  await until(`${id} ${state}`, async () => (await fieldOf(id, 'JobState')) === state);
}

describe('a job', () => {
  test('held, changed, released, suspended, requeued, shown and its script given back', async () => {
    expect((await scontrol('ping')).out).toMatch(/ is DOWN\n$/);
    const id = await submit('-H', '-J', 'life', '--comment', 'a b', '-t', '10');
    expect((await scontrol('ping')).out).toMatch(/ is UP\n$/);
    expect(await fieldOf(id, 'Reason')).toBe('JobHeldUser');
    expect(await fieldOf(id, 'Priority')).toBe('0');
    expect(await scontrol(`update JobId=${id} TimeLimit=+5 Nice=7 Comment=`)).toMatchObject({ code: 0, err: '' });
    expect([await fieldOf(id, 'TimeLimit'), await fieldOf(id, 'Nice')]).toEqual(['00:15:00', '7']);
    expect((await scontrol(`show job ${id}`)).out).not.toContain('Comment=');
    expect(await scontrol(`requeue ${id}`)).toMatchObject({
      code: 1,
      err: `Job is pending execution for job ${id}\n`,
    });
    await scontrol(`release ${id}`);
    await become(id, 'RUNNING');
    expect(await fieldOf(id, 'NodeList')).toBe(hostname());
    const listed = await scontrol(`listpids ${id}`);
    expect(listed.out).toMatch(new RegExp(`^\\d+ +${id} +batch +0 +0 *$`, 'm'));
    const pid = /^(\d+) /m.exec(listed.out)![1]!;
    expect((await scontrol(`pidinfo ${pid}`)).out).toBe(`Slurm JobId=${id}\n`);
    expect((await scontrol(`show step ${id}`)).out).toContain(`StepId=${id}.batch `);
    expect(await scontrol(`wait_job ${id}`)).toMatchObject({
      code: 0,
      err: `scontrol: Nodes are ready for job ${id}\n`,
    });
    expect(await scontrol(`suspend ${id}`)).toMatchObject({ code: 0, err: '' });
    await become(id, 'SUSPENDED');
    expect(await scontrol(`resume ${id}`)).toMatchObject({ code: 0, err: '' });
    await become(id, 'RUNNING');
    expect(await scontrol(`requeuehold ${id}`)).toMatchObject({ code: 0, err: '' });
    await until('the requeued job', async () => (await fieldOf(id, 'Reason')) === 'job_requeued_in_held_state');
    expect(await fieldOf(id, 'Restarts')).toBe('1');
    writeFileSync(join(box.folder, 'go-life'), '');
    await scontrol(`release ${id}`);
    await become(id, 'COMPLETED');
    expect(await scontrol(`hold ${id}`)).toMatchObject({
      code: 1,
      err: `Job has already finished for job ${id}\nslurm_suspend error: Job has already finished\n`,
    });
    const times = /StartTime=(\S+) EndTime=(\S+) /.exec((await scontrol(`show job ${id}`)).out)!;
    for (const time of times.slice(1)) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    const written = await scontrol(`write batch_script ${id}`);
    expect(written.out).toBe(`batch script for job ${id} written to slurm-${id}.sh\n`);
    expect(readFileSync(join(box.folder, `slurm-${id}.sh`))).toEqual(readFileSync(join(box.folder, 'wait.sh')));
    expect((await scontrol(`write batch_script ${id} -`)).out).toBe(readFileSync(join(box.folder, 'wait.sh'), 'utf8'));
  });

  test('cancelled before it started has a start and an end', async () => {
    const id = await submit('-H', '-J', 'never');
    await box.spawn(['cancel', id]);
    const { out } = await scontrol(`-o show job ${id}`);
    expect(out).toContain('JobState=CANCELLED Reason=JobHeldUser ');
    expect(out).toMatch(/ StartTime=(\d{4}-\S+) EndTime=\1 /);
  });

  test('a command line has no script', async () => {
    const { out } = await box.spawn(['submit', '--hold', '-o', 'json', '--', 'true']);
    const id = JSON.parse(out).id;
    expect(await scontrol(`write batch_script ${id}`)).toMatchObject({
      code: 0,
      err: 'job script retrieval failed: Job script not specified\n',
    });
    expect(existsSync(join(box.folder, `slurm-${id}.sh`))).toBe(false);
  });
});

describe('an array', () => {
  test('of a million tasks is held, changed, released and shown as one', async () => {
    const id = await submit('-H', '-J', 'large', '--array', '0-999998');
    for (const line of [
      `hold ${id}`,
      `update JobId=${id} Nice=5 TimeLimit=7`,
      `update JobId=${id}_[5-999990] Nice=6`,
      `release ${id}_[1-3]`,
      `hold ${id}`,
    ]) {
      expect(await scontrol(line)).toMatchObject({ code: 0, out: '', err: '' });
    }
    const { out } = await scontrol(`-o show job ${id}`);
    expect(out.match(/ArrayTaskId=\S+ .* Nice=\d/g)!.length).toBeLessThan(6);
    expect(out).toContain(' TimeLimit=00:07:00 ');
    expect(out).toContain(' Nice=6 ');
    await box.spawn(['cancel', id]);
    expect((await scontrol(`hold ${id}`)).err).toBe(`${id}_0-999998: Job has already finished\n`);
  });

  test('tells apart tasks that ended, run and wait', async () => {
    const text = 'test $SLURM_ARRAY_TASK_ID -gt 2 || exit 0; until [ -e go-parts ]; do sleep 0.05; done';
    const words = ['sbatch', '--parsable', '-o', '/dev/null', '-c', '2', '--array', '1-4%1', '--wrap', text];
    const id = (await box.spawn(words)).out.trim();
    await become(`${id}_3`, 'RUNNING');
    const ended = `${id}_1-2: Job has already finished\n`;
    expect((await scontrol(`hold ${id}_[1-3]`)).err).toBe(`${ended}${id}_3: No error\n`);
    expect((await scontrol(`update JobId=${id} Dependency=singleton`)).err).toBe(
      `${ended}${id}_3: Job is no longer pending execution\n${id}_4: No error\n`,
    );
    expect((await scontrol(`suspend ${id}`)).err).toBe(
      `${id}_1-2: Job/step already completing or completed\n${id}_3: No error\n${id}_4: Job is pending execution\n`,
    );
    await scontrol(`resume ${id}_3`);
    expect((await scontrol(`show job ${id}_2`)).out).toContain(`ArrayJobId=${id} ArrayTaskId=2 ArrayTaskThrottle=1 `);
    await box.spawn(['cancel', id]);
  });
});

test('commands from standard input', async () => {
  const id = await submit('-H', '-J', 'typed');
  const input = `update jobid=${id} comment='x y'\nnosuch\n\nshow hostnames n[1-2]\nquit\nversion\n`;
  const ran = await box.spawn(['scontrol'], { input });
  expect(ran).toMatchObject({ code: 1, err: 'invalid keyword: nosuch\n' });
  expect(ran.out).toBe(
    `scontrol: update jobid=${id} comment='x y'\nscontrol: nosuch\nscontrol: \nscontrol: show hostnames n[1-2]\nn1\nn2\nscontrol: quit\n`,
  );
  expect((await scontrol(`show job ${id}`)).out).toContain("   Comment='x y' \n");
});

test('what of Slurm holds here', async () => {
  const { out } = await scontrol('show config');
  expect(out).toMatch(/^MaxArraySize {12}= 1000001$/m);
  expect((await scontrol('show partition')).out).toMatch(/^PartitionName=main\n(?: {3}.*\n)* {3}Nodes=[\w.-]+\n/);
  expect((await scontrol(`show node ${hostname()}`)).out).toMatch(/CPULoad=\d+\.\d\d\n/);
});
