import { CALLED_OFF_SCENARIOS } from './sandbox-scenarios-called-off.ts';
import { INSIDE_SCENARIOS } from './sandbox-scenarios-inside.ts';
import { LIFE_SCENARIOS } from './sandbox-scenarios-life.ts';
import type { SandboxWorld } from './sandbox-world.ts';

/** What a sandbox must do, for whoever starts it: run as root and as an ordinary user by src/providers/local/sandbox.test.ts. */
export const SCENARIOS: Readonly<Record<string, (world: SandboxWorld) => Promise<void>>> = {
  ...INSIDE_SCENARIOS,
  ...LIFE_SCENARIOS,
  ...CALLED_OFF_SCENARIOS,
};
