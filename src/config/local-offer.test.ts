import { expect, test } from 'vitest';
import { readLocalOffer } from './local-offer.ts';

test.each([
  [{}, []],
  [{ SPAWN_LOCAL_CPUS: '', SPAWN_LOCAL_GPUS: '', SPAWN_LOCAL_RESOURCES: '', SPAWN_BIND_CPUS: '' }, []],
  [{ SPAWN_LOCAL_CPUS: '0.5' }, ['--cpus', '0.5']],
  [
    { SPAWN_LOCAL_GPUS: '0,1', SPAWN_LOCAL_RESOURCES: 'license=2,scratch=0.5' },
    ['--gpus', '0,1', '--resources', 'license=2,scratch=0.5'],
  ],
  [{ SPAWN_BIND_CPUS: '0' }, ['--no-cpu-binding']],
  [{ SPAWN_BIND_CPUS: '1' }, []],
])('%j', (env, flags) => {
  expect(readLocalOffer(env)).toEqual(flags);
});

test.each([
  [{ SPAWN_LOCAL_CPUS: '0' }, 'SPAWN_LOCAL_CPUS: expected a number above 0 and at most 4096, found "0"'],
  [{ SPAWN_LOCAL_CPUS: 'all' }, 'SPAWN_LOCAL_CPUS: expected a number above 0 and at most 4096, found "all"'],
  [{ SPAWN_LOCAL_GPUS: '0,0' }, 'SPAWN_LOCAL_GPUS: expected a number of GPUs up to 1024, or which'],
  [{ SPAWN_LOCAL_RESOURCES: 'license' }, 'SPAWN_LOCAL_RESOURCES: expected NAME=AMOUNT'],
  [{ SPAWN_BIND_CPUS: 'no' }, 'SPAWN_BIND_CPUS: expected 0 or 1, found "no"'],
])('%j is refused', (env, message) => {
  expect(() => readLocalOffer(env)).toThrow(message);
});
