import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRICES_OF } from '../../src/core/instance-prices.ts';
import { instanceTypes, ratesOf } from '../../src/core/instance-types.ts';

const page = readFileSync(new URL('../../docs/instance-types.md', import.meta.url), 'utf8');
const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map(cells);

describe('docs/instance-types.md', () => {
  it('has every type as the program knows it', () => {
    const expected = instanceTypes().map(({ name, vcpus, memoryBytes, gpus }) => {
      const { onDemand, spot } = ratesOf(name, 'us-east-1');
      return [
        `\`${name}\``,
        `${vcpus}`,
        `${memoryBytes / 1024 ** 3} GiB`,
        gpus > 0 ? `${gpus}` : '',
        `$${onDemand}`,
        `$${spot}`,
      ];
    });
    expect(rows.filter(([first = '']) => first.startsWith('`'))).toEqual(expected);
  });

  it('has the prices of every region, and their day', () => {
    const [, ...types] = rows.find(([first]) => first === 'Region')!;
    const regions = rows.filter(([first = '']) => /^[a-z]+-[a-z]+-\d$/.test(first));
    expect(regions).toHaveLength(6);
    for (const [region = '', ...prices] of regions)
      expect(prices).toEqual(
        types.map((type) => {
          const { onDemand, spot } = ratesOf(type, region);
          return `$${onDemand}, spot $${spot}`;
        }),
      );
    expect(page).toContain(`as of ${PRICES_OF}`);
  });
});
