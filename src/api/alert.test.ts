import { describe, expect, test } from 'vitest';
import { CreateAlertRequest, NotifyRule } from './alert.ts';
import { accept } from './refusal.ts';

const HOOK = 'https://ada:pass-word@hooks.slack.com/services/T0/B0/top-secret';
const refuse = (body: object): string => {
  const { error } = accept(CreateAlertRequest)(body) as { error?: Error };
  return JSON.stringify(error);
};

describe('a request that is refused shows nothing of a URL but where it leads', () => {
  test.each([
    { channel: { kind: 'slack', url: `${HOOK}\n` }, events: ['ended'] },
    { channel: { kind: 'slack', url: HOOK.padEnd(3_000, 'x') }, events: ['ended'] },
    { channel: { kind: 'slack', webhook: HOOK }, events: ['ended'] },
    { channel: { kind: HOOK }, events: ['ended'] },
    { channel: HOOK, events: [HOOK] },
    { channel: { kind: 'webhook', url: 'https://h/', secret: HOOK }, events: ['ended'] },
  ])('%#', (body) => {
    const text = refuse(body);
    expect(text).toContain('BAD_REQUEST');
    expect(text).not.toMatch(/top-secret|pass-word/);
  });
});

test.each([
  ['ada', false],
  ['ada@example.org', true],
  ['Ada <ada@example.org>', false],
  ['a@b.c, d@e.f', false],
  ['a@b.c\r\nBcc: eve@example.org', false],
  ['größer@example.org', true],
])('%j is an address: %j', (address, isOne) => {
  const rule = { channel: { kind: 'email', to: [address] }, events: ['ended'] };
  expect(NotifyRule.safeParse(rule).success).toBe(isOne);
});
