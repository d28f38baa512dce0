import { z } from 'zod';

/** What the `spored` command inside an instance asks its agent, besides `command`; docs/in-instance.md. Unknown fields are passed over. */
export const CompleteAsk = z.object({ status: z.enum(['success', 'failed']), message: z.string().optional() });
export type CompleteAsk = z.infer<typeof CompleteAsk>;

export const ConfigGetAsk = z.object({ key: z.string() });
export const ConfigSetAsk = z.object({ key: z.string(), value: z.string().max(4_096) });
