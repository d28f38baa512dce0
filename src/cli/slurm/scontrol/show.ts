import type { Session } from './session.ts';

/** One of the things that `show` shows. */
interface Entity {
  readonly name: string;
  /** It may be cut short, but not below so many letters. */
  readonly least: number;
  readonly run: (session: Session, id: string | undefined) => void | Promise<void>;
}

function says(name: string, least: number, text: string): Entity {
  return { name, least, run: (session) => session.print(text) };
}

/** What this program has none of. */
function lacks(name: string, least: number, none: string, notFound: (id: string) => string = () => none): Entity {
  return {
    name,
    least,
    run(session, id) {
      if (id === undefined) return session.print(`${none}\n`);
      session.print(`${notFound(id)}\n`);
      session.exitCode = 1;
    },
  };
}

const jobs: Entity['run'] = async (session, id = '') => (await import('./show-jobs.ts')).showJobs(session, id);
const nodes: Entity['run'] = async (session, id) => (await import('./show-nodes.ts')).showNodes(session, id);
const partitions: Entity['run'] = async (session, id) => {
  await (await import('./show-partition.ts')).showPartitions(session, id);
};
const steps: Entity['run'] = async (session, id) => (await import('./show-steps.ts')).showSteps(session, id);
const hostnames: Entity['run'] = async (session, id) => (await import('./host-lists.ts')).showHostnames(session, id);
const hostlist =
  (sorted: boolean): Entity['run'] =>
  async (session, id) =>
    (await import('./host-lists.ts')).showHostlist(session, id, sorted);

/** The first that fits counts. Source: scontrol of Slurm 22.05.8. */
const ENTITIES: readonly Entity[] = [
  { name: 'aliases', least: 1, run: async (session) => (await import('./show-nodes.ts')).showNames(session) },
  says('bbstat', 2, ''),
  says('burstbuffer', 2, ''),
  { name: 'config', least: 1, run: async (session) => (await import('./show-server.ts')).showConfig(session) },
  says('daemons', 1, 'slurmctld slurmd\n'),
  says('dwstat', 2, ''),
  says('federation', 1, ''),
  lacks('frontends', 2, 'No nodes in the system'),
  { name: 'hostlist', least: 5, run: hostlist(false) },
  { name: 'hostlistsorted', least: 9, run: hostlist(true) },
  { name: 'hostnames', least: 5, run: hostnames },
  { name: 'jobs', least: 1, run: jobs },
  { name: 'jobid', least: 4, run: jobs },
  lacks('licenses', 2, 'No licenses configured in Slurm.'),
  { name: 'nodes', least: 1, run: nodes },
  { name: 'partitions', least: 2, run: partitions },
  lacks('reservations', 1, 'No reservations in the system', (id) => `Reservation ${id} not found`),
  { name: 'steps', least: 2, run: steps },
  {
    name: 'topology',
    least: 1,
    run: (session) => session.complain('scontrol: error: No topology information available'),
  },
];

/** `show ENTITY [ID]`, also as `ENTITY=ID`. */
export async function show(session: Session, words: readonly string[]): Promise<void> {
  const [, written, inside] = /^([^=]*)(?:=(.*))?$/s.exec(words[0]!)!;
  const lower = written!.toLowerCase();
  const entity = ENTITIES.find(({ name, least }) => lower.length >= least && name.startsWith(lower));
  if (entity === undefined) return session.fail(`invalid entity:${written} for keyword:show `);
  await entity.run(session, inside ?? words[1]);
}
