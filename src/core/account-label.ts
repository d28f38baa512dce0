/** Accounts have 12 digits and begin with none of the zeros, so that each has exactly 8 characters in base 36. */
const FIRST = 100_000_000_000n;
const COUNT = 900_000_000_000n;

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK_64 = 0xffffffffffffffffn;

/** The label of an account in DNS names: its number in base 36, `1kpqzg2c` of 123456789012. */
export function accountLabel(account: number): string {
  if (!(Number.isSafeInteger(account) && account >= 0)) throw new RangeError(`account number ${account}`);
  return account.toString(36);
}

/**
 * The account number of an owner in one store: the same each time, another one in another store, and nothing of the owner's name can
 * be read from it (an owner may be an e-mail address, and DNS names are seen by others). 12 digits, by FNV-1a of 64 bits.
 */
export function accountOf(owner: string, store: string): number {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(`${store}/${owner}`))
    hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK_64;
  return Number(FIRST + (hash % COUNT));
}
