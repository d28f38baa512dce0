import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GpuShares, WHOLE_DEVICE } from './gpu-shares.ts';

const need = fc.constantFrom(
  400,
  2_000,
  2_500,
  3_333,
  5_000,
  7_500,
  9_999,
  WHOLE_DEVICE,
  2 * WHOLE_DEVICE,
  3 * WHOLE_DEVICE,
);

describe('GpuShares', () => {
  it('over-shares no device, puts nobody beside a whole one, and fits exactly as many as can be taken', () => {
    fc.assert(
      fc.property(
        fc.nat(5),
        fc.array(fc.record({ shares: need, give: fc.boolean(), which: fc.nat() }), { maxLength: 40, size: 'max' }),
        (devices, steps) => {
          const gpus = new GpuShares(devices);
          const held: { devices: number[]; shares: number }[] = [];
          for (const { shares, give, which } of steps) {
            if (give && held.length > 0) {
              const [back] = held.splice(which % held.length, 1);
              gpus.give(back!.devices, back!.shares);
            } else {
              const fits = gpus.fits(shares);
              for (let taken = 0; taken < fits; taken++) held.push({ devices: gpus.take(shares), shares });
              expect(gpus.fits(shares)).toBe(0);
              expect(() => gpus.take(shares)).toThrow(RangeError);
              // All but one go back, so that there is room for others.
              for (const { devices: back } of held.splice(held.length - Math.max(0, fits - 1))) gpus.give(back, shares);
            }
            for (let device = 0; device < devices; device++) {
              const here = held.filter((each) => each.devices.includes(device));
              const used = here.reduce((sum, each) => sum + Math.min(each.shares, WHOLE_DEVICE), 0);
              expect(gpus.used[device]).toBe(used);
              expect(used).toBeLessThanOrEqual(WHOLE_DEVICE);
              if (here.some((each) => each.shares >= WHOLE_DEVICE)) expect(here).toHaveLength(1);
            }
            expect(gpus.idle).toBe([...gpus.used].filter((used) => used === 0).length);
            expect(gpus.free).toBe([...gpus.used].reduce((sum, used) => sum + WHOLE_DEVICE - used, 0));
          }
        },
      ),
    );
  });

  it('fills the fullest device that takes a share, and keeps whole ones free', () => {
    const gpus = new GpuShares(3);
    expect([gpus.devices, gpus.take(5_000), gpus.take(5_000)]).toEqual([3, [0], [0]]);
    expect(gpus.take(3_000)).toEqual([1]);
    expect(gpus.take(8_000)).toEqual([2]);
    expect([gpus.take(2_000), gpus.take(2_000)]).toEqual([[2], [1]]);
    gpus.give([0], 5_000);
    gpus.give([0], 5_000);
    expect([gpus.fits(WHOLE_DEVICE), gpus.take(WHOLE_DEVICE), gpus.fits(WHOLE_DEVICE)]).toEqual([1, [0], 0]);
  });

  it('gives a whole task the lowest devices that are idle', () => {
    const gpus = new GpuShares(4);
    gpus.put([1], 2_000);
    expect(gpus.take(2 * WHOLE_DEVICE)).toEqual([0, 2]);
    expect(gpus.fits(2 * WHOLE_DEVICE)).toBe(0);
  });
});
