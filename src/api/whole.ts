import { z } from 'zod';

/**
 * A whole number in a path or a query, in digits alone: what `Number` makes of '', ' 5', '0x10' and '1e3' is not what somebody meant
 * by them. As wide as `z.int()`, narrowed by `within`. A default is given by `prefault`, else the OpenAPI document does not tell it.
 */
export function whole(within: z.ZodInt = z.int()) {
  return z.preprocess((text) => (typeof text === 'string' && DECIMAL.test(text) ? Number(text) : text), within);
}

/** With decimals too, so that these are refused for what they are. */
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
