import { expect, test } from 'vitest';
import { regionOf, zonesOf } from './zones.ts';

test('zones are named as clouds do, and with a dash behind a word', () => {
  expect(zonesOf('us-east-1')).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c']);
  expect(zonesOf('local')).toEqual(['local-a', 'local-b', 'local-c']);
});

test('a zone tells its region', () => {
  for (const region of ['us-east-1', 'local', 'x']) {
    for (const zone of zonesOf(region)) expect(regionOf(zone)).toBe(region);
  }
  expect(regionOf('us-east-1-b')).toBeUndefined();
  expect(regionOf('locala')).toBeUndefined();
  expect(regionOf('my-zone')).toBeUndefined();
});
