import { z } from 'zod';
import { MAX_NAMED_RESOURCES } from './limits.ts';

/** Amounts have at most four decimals: fractions of a thing are shares, not measurements. */
const isShare = (amount: number): boolean => Math.abs(amount * 10_000 - Math.round(amount * 10_000)) < 1e-6;

const Amount = z.number().min(0).max(1e12).refine(isShare, 'at most four decimals');

/** A whole number of devices, or a fraction below 1 of one. */
export const Gpus = Amount.max(1_024).refine((gpus) => gpus < 1 || Number.isInteger(gpus), 'a whole number or below 1');

const ResourceName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, 'a letter, then letters, digits, ".", "_" or "-"');

/** Amounts by name. An amount of 0 is the same as none. */
export const ResourceAmounts = z
  .record(ResourceName, Amount)
  .refine((named) => Object.keys(named).length <= MAX_NAMED_RESOURCES, `at most ${MAX_NAMED_RESOURCES} names`);
export type ResourceAmounts = z.infer<typeof ResourceAmounts>;
