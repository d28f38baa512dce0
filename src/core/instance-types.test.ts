import { describe, expect, it } from 'vitest';
import { DEFAULT_TYPE, findType, instanceTypes, rateOf, ratesOf } from './instance-types.ts';

const GIB = 1024 ** 3;

describe('instance types', () => {
  it('has the default one and knows what each has', () => {
    expect(findType(DEFAULT_TYPE)).toEqual({ name: 't3.micro', vcpus: 2, memoryBytes: GIB, gpus: 0 });
    expect(findType('c7i.8xlarge')).toEqual({ name: 'c7i.8xlarge', vcpus: 32, memoryBytes: 64 * GIB, gpus: 0 });
    expect(findType('g5.xlarge')).toMatchObject({ gpus: 1 });
    expect(instanceTypes().length).toBe(new Set(instanceTypes().map(({ name }) => name)).size);
  });

  it('tells which one was probably meant', () => {
    expect(() => findType('m7i.larg', '--instance-type')).toThrow(
      /^--instance-type: expected an instance type \(t3\.micro, .*\); did you mean "m7i\.large"\?, found "m7i\.larg"$/,
    );
    expect(() => findType('M7I.LARGE')).toThrow('did you mean "m7i.large"?');
    expect(() => findType('')).toThrow(/g5\.xlarge\), found ""$/);
  });

  it('has prices of regions, and those of us-east-1 for all others', () => {
    expect(ratesOf('t3.micro', 'us-east-1').onDemand).toBe(0.0104);
    expect(ratesOf('m7i.2xlarge', 'eu-central-1').onDemand).toBe(0.483);
    expect(ratesOf('c7i.8xlarge', 'us-west-2').onDemand).toBe(1.428);
    expect(ratesOf('m7i.large', 'local')).toEqual(ratesOf('m7i.large', 'us-east-1'));
    expect(ratesOf('m7i.large', 'moon-1')).toEqual(ratesOf('m7i.large', 'us-east-1'));
    expect(() => ratesOf('nope', 'local', '--instance-type')).toThrow('--instance-type: expected an instance type');
  });

  it('has spot instances that cost less, everywhere', () => {
    for (const { name } of instanceTypes())
      for (const region of ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-northeast-1']) {
        expect(rateOf(name, region, true)).toBeLessThan(rateOf(name, region, false));
        expect(rateOf(name, region, true)).toBeGreaterThan(0);
      }
  });
});
