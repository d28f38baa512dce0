import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Answerer } from './answer.ts';
import { AnswerCache } from './answer-cache.ts';
import { Zone } from './zone.ts';

const DOMAIN = 'spore.host';
const NAMES = ['a', 'b', 'group', 'group', 'nobody', 'ns', ''];
const TYPES = ['A', 'AAAA', 'SOA', 'ANY', 'TXT'] as const;

const Act = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), owner: fc.nat(11), label: fc.constantFrom('a', 'b') }),
  fc.record({ kind: fc.constant('remove' as const), owner: fc.nat(11) }),
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      id: fc.nat(65_535),
      label: fc.constantFrom(...NAMES),
      type: fc.constantFrom(...TYPES),
      upper: fc.boolean(),
      payload: fc.constantFrom(undefined, 512, 1_232),
      over: fc.constantFrom('udp' as const, 'tcp' as const),
    }),
  },
);

it('says what would be said without it, whatever changes between two questions', () => {
  fc.assert(
    fc.property(fc.array(Act, { maxLength: 80 }), (acts) => {
      const zone = new Zone(DOMAIN);
      const answerer = new Answerer(zone, '127.0.53.1');
      for (const act of acts) {
        if (act.kind === 'remove') zone.remove(`i-${act.owner}`);
        else if (act.kind === 'set')
          zone.set({ id: `i-${act.owner}`, arrayId: 'x', generation: act.owner }, [
            { name: `${act.label}.${DOMAIN}`, address: `127.4.0.${act.owner}`, shared: false },
            { name: `group.${DOMAIN}`, address: `127.4.0.${act.owner}`, shared: true },
          ]);
        else {
          const { id, label, type, upper, payload, over } = act;
          const name = label === '' ? DOMAIN : `${label}.${DOMAIN}`;
          const opt = {
            type: 'OPT' as const,
            name: '.',
            udpPayloadSize: payload ?? 0,
            extendedRcode: 0,
            ednsVersion: 0,
          };
          const additionals = payload === undefined ? [] : [{ ...opt, flags: 0, flag_do: false, options: [] }];
          const query = encode({
            type: 'query',
            id,
            questions: [{ type: type as 'A', name: upper ? name.toUpperCase() : name }],
            additionals,
          });
          const said = answerer.answer(query, over)!;
          const fresh = new Answerer(zone, '127.0.53.1').answer(query, over)!;
          expect(said.length).toBe(fresh.length);
          const [one, other] = [decode(Buffer.from(said)), decode(Buffer.from(fresh))];
          const sorted = ({ answers = [], ...rest }: typeof one) => ({
            ...rest,
            answers: answers.map((record) => JSON.stringify(record)).toSorted(),
          });
          expect(sorted(one)).toEqual(sorted(other));
        }
      }
    }),
    { numRuns: 150 },
  );
});

it('gives every order of a small group in turn, and forgets all when there are too many questions', () => {
  const zone = new Zone(DOMAIN);
  for (let at = 0; at < 4; at++)
    zone.set({ id: `i-${at}`, arrayId: 'x', generation: 1 }, [
      { name: `group.${DOMAIN}`, address: `127.4.0.${at}`, shared: true },
    ]);
  const answerer = new Answerer(zone, '127.0.53.1');
  const first = (id: number) => {
    const query = encode({ type: 'query', id, questions: [{ type: 'A', name: `group.${DOMAIN}` }] });
    const { answers, id: said } = decode(Buffer.from(answerer.answer(query, 'udp')!));
    expect(said).toBe(id);
    return (answers![0] as { data: string }).data;
  };
  const round = Array.from({ length: 4 }, (_, at) => first(at));
  expect(new Set(round).size).toBe(4);
  expect(Array.from({ length: 8 }, (_, at) => first(at)).toSorted()).toEqual([...round, ...round].toSorted());
  const cache = new AnswerCache();
  let made = 0;
  const ask = (text: string) =>
    cache.answer(Buffer.from(text), 1, () => ({ response: Buffer.from([0, 0, made++]), orders: 1 }));
  ask('id-0');
  expect(ask('ID-0')).toEqual(Buffer.from([73, 68, 0]));
  for (let at = 0; at < 5_000; at++) ask(`id${at}`);
  ask('id-0');
  expect(made).toBe(5_002);
});
