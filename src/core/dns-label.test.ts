import { describe, expect, it } from 'vitest';
import { checkDnsLabel, checkDomain, isDnsLabel } from './dns-label.ts';

describe('a DNS label', () => {
  it.each(['a', '0', 'a-b', '1kpqzg2c', 'x'.repeat(63), 'a--b'])('may be %s', (name) => {
    expect(isDnsLabel(name)).toBe(true);
    expect(checkDnsLabel(name, '--name')).toBe(name);
  });

  it.each([
    ['', '1 to 63 characters, found 0'],
    ['x'.repeat(64), '1 to 63 characters, found 64'],
    ['a.b', 'found "." at column 2'],
    ['Compute', 'found "C" at column 1'],
    ['a_b', 'found "_" at column 2'],
    ['a😀', 'found "😀" at column 2'],
    ['-a', 'a letter or a digit at both ends'],
    ['a-', 'a letter or a digit at both ends'],
  ])('may not be %j', (name, why) => {
    expect(isDnsLabel(name)).toBe(false);
    expect(() => checkDnsLabel(name, '--name')).toThrow(why);
    expect(() => checkDnsLabel(name, '--name')).toThrow('--name: name');
  });
});

describe('a domain', () => {
  it.each(['spore.host', 'local', 'a.b.c.d'])('may be %s', (domain) =>
    expect(checkDomain(domain, 'dns-domain')).toBe(domain),
  );
  it.each(['', '.', 'spore.host.', 'Spore.host', 'a..b', `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}`])(
    'may not be %j',
    (domain) =>
      expect(() => checkDomain(domain, 'dns-domain')).toThrow('dns-domain: expected a domain such as spore.host'),
  );
});
