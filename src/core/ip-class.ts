/** Bytes of an IP address: 4 or 16. */
export type IpBytes = readonly number[];

/** Reads `192.0.2.1` or `2001:db8::1`, also with a last part in the form of IPv4; undefined: it is none. No zone, no short forms of IPv4. */
export function parseIp(text: string): IpBytes | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): IpBytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseV6(text: string): IpBytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, at) => readGroups(half, at === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
}

/** @param isLast the last of them may be an address of IPv4 */
function readGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    const v4 = isLast && at === groups.length - 1 && group.includes('.') ? parseV4(group) : undefined;
    if (v4 !== undefined) bytes.push(...v4);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
    else return undefined;
  }
  return bytes;
}

/** Addresses that begin with so many bits. */
export interface IpRange {
  readonly bytes: IpBytes;
  readonly bits: number;
}

/** Reads `10.0.0.0/8`, `::1/128` or an address alone; undefined: it is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const bytes = parseIp(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  if (prefix === undefined) return { bytes, bits: bytes.length * 8 };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > bytes.length * 8) return undefined;
  return { bytes, bits: Number(prefix) };
}

export function isInRange({ bytes, bits }: IpRange, address: IpBytes): boolean {
  if (bytes.length !== address.length) return false;
  for (let bit = 0; bit < bits; bit++) {
    const mask = 128 >> (bit % 8);
    if ((bytes[bit >> 3]! & mask) !== (address[bit >> 3]! & mask)) return false;
  }
  return true;
}

const named = (ranges: Readonly<Record<string, string>>) =>
  Object.entries(ranges).flatMap(([name, list]) =>
    list.split(' ').map((text) => ({ name, range: parseIpRange(text)! })),
  );

/** IANA special-purpose registries; the metadata address of clouds is link-local. */
const SPECIAL = named({
  'this network': '0.0.0.0/8 ::/128',
  private: '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10',
  'shared by carriers': '100.64.0.0/10',
  loopback: '127.0.0.0/8 ::1/128',
  'link-local': '169.254.0.0/16 fe80::/10',
  reserved: '192.0.0.0/24 192.88.99.0/24 240.0.0.0/4 100::/64 2001::/23 5f00::/16',
  'for documentation': '192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20',
  'for benchmarks': '198.18.0.0/15',
  multicast: '224.0.0.0/4 ff00::/8',
});

/** Addresses of IPv6 that mean one of IPv4, and where its bytes are. */
const EMBEDDED: readonly { readonly range: IpRange; readonly at: number }[] = [
  { range: parseIpRange('::ffff:0:0/96')!, at: 12 },
  { range: parseIpRange('::ffff:0:0:0/96')!, at: 12 },
  { range: parseIpRange('::/96')!, at: 12 },
  { range: parseIpRange('64:ff9b::/96')!, at: 12 },
  { range: parseIpRange('64:ff9b:1::/48')!, at: 12 },
  { range: parseIpRange('2002::/16')!, at: 2 },
];

const GLOBAL_V6 = parseIpRange('2000::/3')!;

/** Why an address is not one of the public internet: `loopback`, `private`, … ; undefined: it is one. */
export function whyNotPublic(address: IpBytes): string | undefined {
  const special = SPECIAL.find(({ range }) => isInRange(range, address));
  if (special !== undefined) return special.name;
  if (address.length === 4) return undefined;
  const inner = EMBEDDED.find(({ range }) => isInRange(range, address));
  // Who can tell where a gateway between the two would lead.
  if (inner !== undefined) return whyNotPublic(address.slice(inner.at, inner.at + 4)) ?? 'IPv4 within IPv6';
  return isInRange(GLOBAL_V6, address) ? undefined : 'reserved';
}

/** The IPv4 address that an IPv4-mapped one of IPv6 is; any other as it is. */
export function unmapped(address: IpBytes): IpBytes {
  return address.length === 16 && isInRange(EMBEDDED[0]!.range, address) ? address.slice(12) : address;
}
