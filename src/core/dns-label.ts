import { SpawnError } from './errors.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Of a whole name, without the dot at its end (RFC 1035, 2.3.4). */
const MAX_NAME = 253;
/** Two labels of 63 characters and their dots go before it. */
const MAX_DOMAIN = MAX_NAME - 128;

/** Lower-case letters, digits and dashes, 1 to 63, no dash at either end (RFC 1035, 2.3.1; digits first: RFC 1123, 2.1). */
export function isDnsLabel(text: string): boolean {
  return LABEL.test(text);
}

/** Gives a label back. @throws BAD_NAME, which says what is wrong with it */
export function checkDnsLabel(name: string, where: string): string {
  if (isDnsLabel(name)) return name;
  const bad = (expected: string): never => {
    throw new SpawnError('BAD_NAME', { where, name, expected });
  };
  if (name.length < 1 || name.length > 63) return bad(`a DNS label of 1 to 63 characters, found ${name.length}`);
  const at = name.search(/[^a-z0-9-]/);
  if (at >= 0) {
    const found = JSON.stringify(String.fromCodePoint(name.codePointAt(at)!));
    return bad(`a DNS label: lower-case letters, digits and "-", found ${found} at column ${at + 1}`);
  }
  return bad('a DNS label: a letter or a digit at both ends');
}

/** Gives a domain back: labels with dots between, no dot at its end. @throws BAD_REQUEST */
export function checkDomain(domain: string, where: string): string {
  if (domain.length <= MAX_DOMAIN && domain.split('.').every(isDnsLabel)) return domain;
  const expected = `a domain such as spore.host: lower-case DNS labels with dots between, at most ${MAX_DOMAIN} characters`;
  throw new SpawnError('BAD_REQUEST', { where, expected, found: domain });
}
