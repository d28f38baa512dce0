import type { Scenario, Transcript } from './scenario.ts';
import type { Side } from './side.ts';

/**
 * Runs scenarios on a side, `width` at a time; those that want idle nodes one by one, after the others.
 * @returns what becomes of each, by its id
 */
export function runLanes(
  side: Side,
  scenarios: readonly Scenario[],
  width: number,
): ReadonlyMap<string, Promise<Transcript>> {
  const ends = new Map(scenarios.map(({ id }) => [id, Promise.withResolvers<Transcript>()]));
  const run = async (some: readonly Scenario[], lanes: number) => {
    const rest = [...some];
    const lane = async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const { resolve, reject } = ends.get(next.id)!;
        await side.run(next).then(resolve, reject);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  const ordinary = scenarios.filter(({ alone }) => !alone);
  void run(ordinary, width).then(() =>
    run(
      scenarios.filter(({ alone }) => alone),
      1,
    ),
  );
  return new Map([...ends].map(([id, { promise }]) => [id, promise]));
}
