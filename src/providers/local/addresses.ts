import { zonesOf } from '../../core/zones.ts';

/**
 * Loopback addresses of local instances. 127.0.0.0/8 belongs to this machine as a whole (RFC 1122, 3.2.1.3), so each instance can have an
 * address, and all ports of it, to itself. The second number is that of a zone, the rest counts within it:
 * - region `local`: zones local-a, local-b, local-c are 127.4, 127.5 and 127.6
 * - any other label is a region too; its three zones lie next to each other, from a number between 16 and 249 that comes from the label
 */
/** Of each region. */
const ZONES = 3;
const LOCAL_SECOND = 4;
const FIRST_SECOND = 16;
/** Three zones each, so that the last is 127.249 at most. */
const REGIONS = 78;
/** .0.0 to .0.9 of each range are left to people. */
const FIRST_HOST = 10;
const HOSTS = 65_536;

/**
 * The address of instance number `slot` of a zone; undefined when the zone is full.
 *
 * @param salt of the store: two stores of one machine begin at different places, so their instances seldom meet
 */
export function addressOf(region: string, zone: string, slot: number, salt: number): string | undefined {
  const letter = zonesOf(region).indexOf(zone);
  const first = region === 'local' ? LOCAL_SECOND : FIRST_SECOND + (hash(region) % REGIONS) * ZONES;
  // A zone of another name is one of the three, too.
  const second = first + (letter < 0 ? hash(zone) % ZONES : letter);
  if (slot >= HOSTS - FIRST_HOST - 1) return undefined;
  const host = ((salt % 250) * 256 + FIRST_HOST + slot) % HOSTS;
  return `127.${second}.${host >> 8}.${host & 255}`;
}

/** FNV-1a, 32 bits: the same number for the same text everywhere. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  return h >>> 0;
}
