import { z } from 'zod';

/** SHA-256 in hex of a stored script or environment snapshot. */
export const BlobHash = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
