import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { committed, type ShareMember, splitCap } from './cost-shares.ts';

const member = (id: string, facts: Partial<ShareMember> = {}): ShareMember => ({
  id,
  spent: 0,
  held: 0,
  rate: 1,
  ...facts,
});
const shares = (...parameters: Parameters<typeof splitCap>) => Object.fromEntries(splitCap(...parameters));

describe('a split', () => {
  it('lets all run for the same time', () => {
    const members = [member('a', { rate: 1 }), member('b', { rate: 3 })];
    expect(shares({ limit: 8, ended: 0, members })).toEqual({ a: 2, b: 6 });
  });

  it('gives what one did not need to those that go on', () => {
    expect(shares({ limit: 10, ended: 1, members: [member('b', { held: 5, spent: 2 })] })).toEqual({ b: 9 });
  });

  it('puts by what members that are launched later will need', () => {
    expect(shares({ limit: 10, ended: 0, members: [member('a')], laterRate: 9 })).toEqual({ a: 1 });
  });

  it('gives a new member nothing before the others have given up a part', () => {
    const first = member('a', { held: 10, spent: 1 });
    expect(shares({ limit: 10, ended: 0, members: [first, member('b')] })).toEqual({ a: 5.5, b: 0 });
    const agreed = { ...first, held: 5.5 };
    expect(shares({ limit: 10, ended: 0, members: [agreed, member('b')] })).toEqual({ a: 5.5, b: 4.5 });
  });

  it('never takes back what was spent, also above the limit', () => {
    expect(shares({ limit: 3, ended: 1, members: [member('a', { spent: 4, held: 5 })] })).toEqual({ a: 4 });
  });

  it('splits evenly among those that cost nothing', () => {
    expect(shares({ limit: 3, ended: 1, members: [member('a', { rate: 0 }), member('b', { rate: 0 })] })).toEqual({
      a: 1,
      b: 1,
    });
    expect(shares({ limit: 3, ended: 1, members: [] })).toEqual({});
  });
});

/** An agent spends up to the share that it heard of last; messages to it and from it may be late or lost. */
interface Agent {
  readonly id: string;
  readonly rate: number;
  spent: number;
  share: number;
  /** Shares sent, by version from 1; `heard` and `acknowledged` are versions. */
  readonly sent: number[];
  heard: number;
  acknowledged: number;
  reported: number;
  live: boolean;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), rate: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 30 }) }),
  // An agent hears of the newest share, or tells how it is, or both.
  fc.record({ kind: fc.constantFrom('hear' as const, 'report' as const, 'end' as const), which: fc.nat({ max: 30 }) }),
  fc.record({ kind: fc.constant('split' as const), later: fc.nat({ max: 5 }) }),
);

it('keeps what is spent and what may be spent within the cap, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const agents: Agent[] = [];
      let ended = 0;
      const view = (agent: Agent): ShareMember => ({
        id: agent.id,
        spent: agent.reported,
        held: Math.max(0, ...agent.sent.slice(Math.max(0, agent.acknowledged - 1))),
        rate: agent.rate,
      });
      const live = () => agents.filter((agent) => agent.live);
      for (const now of steps) {
        const chosen = 'which' in now ? live()[now.which % Math.max(1, live().length)] : undefined;
        if (now.kind === 'start') {
          const id = String(agents.length);
          agents.push({
            id,
            rate: now.rate,
            spent: 0,
            share: 0,
            sent: [],
            heard: 0,
            acknowledged: 0,
            reported: 0,
            live: true,
          });
        } else if (now.kind === 'time') {
          for (const agent of live())
            agent.spent = Math.max(agent.spent, Math.min(agent.share, agent.spent + agent.rate * now.hours));
        } else if (now.kind === 'split') {
          const members = live().map(view);
          const given = splitCap({ limit, ended, members, laterRate: now.later });
          for (const agent of live()) {
            const share = given.get(agent.id)!;
            expect(share).toBeGreaterThanOrEqual(agent.reported - 1e-9);
            agent.sent.push(share);
          }
        } else if (chosen !== undefined && now.kind === 'hear') {
          chosen.heard = chosen.sent.length;
          chosen.share = chosen.sent.at(-1) ?? 0;
        } else if (chosen !== undefined) {
          chosen.acknowledged = chosen.heard;
          chosen.reported = chosen.spent;
          if (now.kind === 'end') {
            chosen.live = false;
            ended += chosen.spent;
          }
        }
        expect(agents.reduce((sum, agent) => sum + agent.spent, 0)).toBeLessThanOrEqual(limit + 1e-6);
        expect(committed({ ended, members: live().map(view) })).toBeLessThanOrEqual(limit + 1e-6);
      }
    }),
    { numRuns: 500 },
  );
});

it('gives all of the cap away once everybody has agreed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (limit, rates) => {
        let members = rates.map((rate, at) => member(String(at), { rate, held: at === 0 ? limit : 0 }));
        for (let round = 0; round < 2; round++) {
          const given = splitCap({ limit, ended: 0, members });
          members = members.map((one) => ({ ...one, held: given.get(one.id)! }));
        }
        expect(committed({ ended: 0, members })).toBeCloseTo(limit, 6);
      },
    ),
  );
});
