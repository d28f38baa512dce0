import { describe, expect, it } from 'vitest';
import { IndexSet, parseIndexSet } from './index-set.ts';
import { estimateText, spotText } from './instance-estimate.ts';
import { planLaunch, plannedMembers } from './instance-plan.ts';
import type { LaunchPlace, LaunchSpec } from './launch-spec.ts';

const GIB = 1024 ** 3;
const HOUR = 3_600_000;

function specOf(
  instances: Partial<LaunchSpec['instances']> = {},
  rest: Partial<Omit<LaunchSpec, 'instances'>> = {},
): LaunchSpec {
  return {
    name: 'compute',
    throttle: 0,
    canary: 0,
    retries: 0,
    run: { kind: 'shell' },
    ...rest,
    instances: {
      type: 't3.micro',
      region: 'local',
      names: '{job-array-name}-{index}',
      standalone: false,
      ttlMs: HOUR,
      ttlMode: 'running',
      idleTimeoutMs: 0,
      onIdle: 'stop',
      onComplete: 'none',
      spot: false,
      strict: false,
      ...instances,
    },
  };
}

const place: LaunchPlace = { zones: ['local-a', 'local-b'], account: '1kpqzg2c', domain: 'spore.host' };
const small: LaunchPlace = { ...place, capacity: { vcpus: 2, memoryBytes: 24 * GIB } };
const plan = (spec: LaunchSpec, array: string | IndexSet = '5', where = place) =>
  planLaunch(spec, typeof array === 'string' ? parseIndexSet(array).set : array, where);

describe('the members of a plan', () => {
  it('have names, zones by index and DNS names', () => {
    const planned = plan(specOf(), '0-4:2,9');
    expect([...plannedMembers(planned)]).toEqual([
      { index: 0, rank: 0, name: 'compute-0', zone: 'local-a', dns: 'compute-0.1kpqzg2c.spore.host' },
      { index: 2, rank: 1, name: 'compute-2', zone: 'local-a', dns: 'compute-2.1kpqzg2c.spore.host' },
      { index: 4, rank: 2, name: 'compute-4', zone: 'local-a', dns: 'compute-4.1kpqzg2c.spore.host' },
      { index: 9, rank: 3, name: 'compute-9', zone: 'local-b', dns: 'compute-9.1kpqzg2c.spore.host' },
    ]);
    expect(planned).toMatchObject({
      size: 4,
      groupDns: 'compute.1kpqzg2c.spore.host',
      dnsSuffix: '1kpqzg2c.spore.host',
    });
    expect([...plannedMembers(planned, 3, 100)].map(({ index }) => index)).toEqual([9]);
  });

  it('take another name in DNS, and the zone that was asked for', () => {
    const planned = plan(specOf({ dns: 'api', names: 'worker-{index:02}', zone: 'local-b' }));
    expect(planned.member(0)).toMatchObject({ name: 'worker-00', zone: 'local-b', dns: 'api-0.1kpqzg2c.spore.host' });
    expect(planned.groupDns).toBe('api.1kpqzg2c.spore.host');
  });

  it('are one without an index when it is no array', () => {
    const planned = plan(specOf({ standalone: true, names: '{name}' }), '1');
    expect(planned.member(0)).toMatchObject({ name: 'compute', dns: 'compute.1kpqzg2c.spore.host' });
  });

  it('are not made before they are asked for', () => {
    const planned = plan(specOf(), IndexSet.ofSize(1_000_000), { ...place, maxInstances: 1_000_000 });
    expect(planned.member(999_999).name).toBe('compute-999999');
    expect(plannedMembers(planned).next().value?.name).toBe('compute-0');
  });
});

describe('what a launch costs', () => {
  it('is members by rate by time', () => {
    const { estimate } = plan(specOf({ ttlMs: HOUR / 2 }));
    expect(estimate.cost).toBeCloseTo(0.026);
    expect(estimateText(estimate)).toBe('~$0.0260 (5 instances x 30m x $0.0104/hour)');
  });

  it('is by the hour without a TTL', () => {
    const { estimate } = plan(specOf({ ttlMs: 0, type: 'm7i.large' }), '1');
    expect(estimateText(estimate)).toBe('~$0.10 an hour (1 instance x $0.1008/hour)');
    expect(spotText(estimate)).toMatch(/^~\$0\.0\d+ an hour \(\d+% less than ~\$0\.10 on demand\)$/);
  });

  it('is that of spot instances when they are asked for', () => {
    const { estimate, rate, rates } = plan(specOf({ spot: true, spotMaxPrice: 1, costLimit: 7 }));
    expect(rate).toBe(rates.spot);
    expect(estimate.cost).toBe(estimate.spot);
    expect(estimate.savedPercent).toBe(Math.round((1 - rates.spot / rates.onDemand) * 100));
    expect(estimate.limit).toBe(7);
    expect(spotText(estimate)).toMatch(/^~\$0\.\d+ \(\d+% less than ~\$0\.0520 on demand\)$/);
  });
});

describe('notes', () => {
  const kinds = (spec: LaunchSpec, array = '5', where = place) =>
    plan(spec, array, where).notes.map(({ kind }) => kind);
  const text = (spec: LaunchSpec, array = '5', where = place) =>
    plan(spec, array, where)
      .notes.map((note) => note.text)
      .join('\n');

  it('are none where there is nothing to say', () => {
    expect(kinds(specOf())).toEqual([]);
    expect(
      kinds(specOf({}, { throttle: 1 }), '5', { ...place, capacity: { vcpus: 64, memoryBytes: 64 * GIB } }),
    ).toEqual(['barrier']);
    expect(kinds(specOf({ costLimit: 1, minViable: 5 }, { throttle: 5, canary: 5 }))).toEqual([]);
  });

  it('tell of a machine that is shared', () => {
    expect(text(specOf(), '5', small)).toContain('5 x t3.micro have 10 vCPUs and this machine 2: they share them');
    expect(text(specOf({ type: 'm7i.2xlarge' }), '1', small)).toContain(
      'm7i.2xlarge has 32 GiB of memory and this machine 24: it gets no more',
    );
    expect(
      kinds(specOf({ type: 'g5.xlarge' }), '1', { ...place, capacity: { vcpus: 8, memoryBytes: 24 * GIB } }),
    ).toEqual(['no-gpus']);
    // Only as many as run at once share it.
    expect(kinds(specOf({}, { throttle: 1 }), '5', small)).toEqual(['barrier']);
  });

  it('tell of a region whose prices nobody knows', () => {
    expect(text(specOf({ region: 'us-esat-1' }), '5', { ...place, zones: ['us-esat-1a'] })).toBe(
      'no prices are known for region us-esat-1: those of us-east-1 are taken',
    );
    expect(kinds(specOf({ region: 'eu-west-1' }), '5', { ...place, zones: ['eu-west-1a'] })).toEqual([]);
  });

  it('tell who ends instances without a TTL', () => {
    expect(text(specOf({ ttlMs: 0 }))).toBe('no TTL: they run until you end them');
    expect(text(specOf({ ttlMs: 0 }), '1')).toBe('no TTL: it runs until you end it');
    expect(text(specOf({ ttlMs: 0, idleTimeoutMs: 900_000, onComplete: 'terminate' }))).toBe(
      'no TTL: they run until you end them, or idle for 15m: stop, on completion: terminate',
    );
  });

  it('tell that a completion must be signalled where there is no command', () => {
    expect(text(specOf({ onComplete: 'stop' }, { run: { kind: 'signal' } }))).toContain(
      'stop follows when `spored complete` is called',
    );
    expect(kinds(specOf({}, { run: { kind: 'signal' } }))).toEqual([]);
  });

  it('tell when not all members run at once', () => {
    expect(text(specOf({}, { throttle: 2 }))).toContain('only 2 of 5 run at once');
    expect(text(specOf({}, { canary: 2 }))).toContain('2 of 5 run first');
    expect(text(specOf({ minViable: 3 }))).toContain('a success when 3 of 5 run');
    expect(kinds(specOf({}, { throttle: 1, canary: 1 }), '1')).toEqual([]);
  });

  it('tell when the limit of costs comes before the TTL', () => {
    expect(text(specOf({ costLimit: 0.01 }))).toBe(
      'until their TTL they would cost $0.0520: the limit of $0.0100 ends them before',
    );
    expect(kinds(specOf({ costLimit: 0.01, ttlMs: 0 }))).toEqual(['no-ttl']);
  });
});

describe('a launch is refused', () => {
  it.each<[string, LaunchSpec, string, LaunchPlace, string]>([
    ['of an unknown type', specOf({ type: 'm7i.larg' }), '5', place, 'did you mean "m7i.large"?'],
    ['of too many', specOf(), '9', { ...place, maxInstances: 8 }, 'array of 9 tasks: expected at most 8'],
    ['of one name for two', specOf({ names: 'worker' }), '2', place, 'worker for index 0 and index 1'],
    ['with a wrong name', specOf({}, { name: 'Compute' }), '2', place, 'name of the array: name "Compute"'],
    ['with a DNS name that grows too long', specOf({ dns: 'd'.repeat(62) }), '2', place, 'DNS name: name'],
    [
      'above the price',
      specOf({ spot: true, spotMaxPrice: 0.001 }),
      '2',
      place,
      'spotMaxPrice: expected at least 0.00',
    ],
    ['with a price for nothing', specOf({ spotMaxPrice: 1 }), '2', place, 'spotMaxPrice: expected it only with spot'],
    ['with no life', specOf({ ttlMs: 999 }), '2', place, 'ttl: expected at least 1s, found "999ms"'],
    [
      'in another zone',
      specOf({ zone: 'mars-a' }),
      '2',
      place,
      'zone: expected a zone of region local: local-a, local-b, found "mars-a"',
    ],
    [
      'as no array of two',
      specOf({ standalone: true }),
      '2',
      place,
      'array: expected 1 index for an instance that is no array, found 2',
    ],
    ['with more viable than there are', specOf({ minViable: 6 }), '5', place, 'minViable: expected at most 5'],
    [
      'with too few parameters',
      specOf({ params: [{}] }),
      '2',
      place,
      'params: expected 2 entries, one a member, found 1',
    ],
    [
      'strictly, by vCPUs',
      specOf({ strict: true }),
      '2',
      small,
      'strict: expected at most the 2 vCPUs of this machine, found "2 x t3.micro with 4"',
    ],
    [
      'strictly, by memory',
      specOf({ strict: true, type: 'r7i.large' }),
      '2',
      { ...place, capacity: { vcpus: 8, memoryBytes: 24 * GIB } },
      'strict: expected at most the 24 GiB of this machine, found "2 x r7i.large with 32 GiB"',
    ],
  ])('%s', (_, spec, array, where, message) => {
    expect(() => plan(spec, array, where)).toThrow(message);
  });

  it('of none', () => {
    expect(() => plan(specOf(), IndexSet.ofSize(0))).toThrow('array: expected at least 1 instance, found 0');
  });

  it('strictly only where it does not fit', () => {
    plan(specOf({ strict: true }), '1', small);
    plan(specOf({ strict: true }, { throttle: 1 }), '5', small);
    plan(specOf({ strict: true }), '5');
    plan(specOf({ params: [{}, {}], minViable: 1 }), '2');
  });
});
