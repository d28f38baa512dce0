import { InstanceMemory } from '../../api/instance-memory.ts';

/** Undefined when there is none, or none that can be read: the instance then begins anew. */
export function parseMemory(text: string | undefined): InstanceMemory | undefined {
  if (text === undefined) return undefined;
  try {
    return InstanceMemory.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
