import { describe, expect, test } from 'vitest';
import { checkInstances, instanceChecks, type Probe } from './check-instances.ts';

const yes = { ok: true };
const no = { ok: false, why: 'Operation not permitted' };
const allowed: Probe = {
  ...{ user: 1000, namespaces: yes, mount: yes, overlay: yes, processes: yes, port53: yes },
  ...{ memory: 'v1', cpu: 'affinity', freeze: 'signals' },
};
const found = (probe: Partial<Probe>) =>
  Object.fromEntries(
    instanceChecks({ ...allowed, ...probe }).map(({ name, result, found }) => [name, `${result}: ${found}`]),
  );

describe('what the kernel allows', () => {
  test('all', () => {
    expect(found({})).toEqual({
      instances: 'ok: own names, files and processes; memory held by the kernel (cgroup v1); CPUs by affinity',
      'their /etc': 'ok: an overlay of this machine’s',
      'DNS port': 'ok: 53 is allowed, so that resolvers inside instances can reach the server',
    });
  });

  test('where the setting says otherwise', () => {
    expect(instanceChecks(allowed, 'plain').map(({ name, result, found }) => [name, `${result}: ${found}`])).toEqual([
      ['instances', 'info: not kept apart from this machine: SPAWN_SANDBOX=plain says so'],
      ['DNS port', expect.stringMatching('^ok')],
    ]);
    expect(instanceChecks(allowed, 'auto')).toEqual(instanceChecks(allowed));
  });

  test('to an ordinary user', () => {
    expect(found({ memory: 'sampled', port53: no })).toMatchObject({
      instances: 'ok: own names, files and processes; memory looked at now and again; CPUs by affinity',
      'DNS port': 'info: 53 is not allowed (Operation not permitted): names are in /etc/hosts of each instance',
    });
  });

  test('no namespaces', () => {
    expect(found({ namespaces: no, processes: { ok: false } }).instances).toBe(
      'warn: without namespaces, not apart from this machine: namespaces (Operation not permitted), processes (refused)',
    );
  });

  test('no namespaces for root, who has no sysctl to change', () => {
    const checks = instanceChecks({ ...allowed, user: 0, mount: no });
    expect(checks.map(({ name }) => name)).toEqual(['instances', 'DNS port']);
    expect(checks[0]?.advice).toMatch(/CAP_SYS_ADMIN/);
  });

  test('no overlays', () => {
    expect(found({ overlay: no })['their /etc']).toBe(
      'info: made of links, as overlays are refused (Operation not permitted)',
    );
  });
});

test('a program that is missing, or does not answer, is no failure of the rest', async () => {
  expect((await checkInstances(undefined, '/nonexistent/instance')).map(({ result }) => result)).toEqual(['warn']);
  expect((await checkInstances(undefined, '/bin/false')).map(({ result }) => result)).toEqual(['warn']);
  expect((await checkInstances(undefined, '/bin/echo')).map(({ result }) => result)).toEqual(['warn']);
});
