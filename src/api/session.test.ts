import { expect, test } from 'vitest';
import { API_VERSION } from './limits.ts';
import { HelloRequest } from './session.ts';

const HELLO = {
  worker: 'w 1 (é)',
  host: 'node-1.example',
  pid: 1,
  bootId: 'boot',
  instance: 'local-1',
  resources: { cpus: 1, memoryBytes: 0 },
  api: API_VERSION,
  version: '1.0.0',
};

test.each(['worker', 'host', 'instance', 'version'] as const)(
  'what a worker calls its %s cannot steer the terminals of those who read it',
  (field) => {
    expect(HelloRequest.safeParse(HELLO).success).toBe(true);
    for (const text of ['a\u001b[31m', 'a\nb', '\u009bA', 'a\u0000']) {
      expect(HelloRequest.safeParse({ ...HELLO, [field]: text }).success).toBe(false);
    }
  },
);
