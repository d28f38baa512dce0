import { SCENARIOS } from './sandbox-scenarios.ts';
import { makeSandboxWorld } from './sandbox-world.ts';

/** Runs one scenario as the user of this process: node run-sandbox-scenario.ts NAME. */
const world = makeSandboxWorld();
try {
  await SCENARIOS[process.argv[2] ?? '']!(world);
} finally {
  await world.close();
}
process.exit(0);
