import type { Graph, GraphJob } from './model.ts';

/** As Graphviz reads it. */
export function dotText({ jobs, links }: Graph): string {
  const nodes = jobs.map((job) => `  ${job.id} [label=${quote(labelOf(job))}${colourOf(job)}];`);
  const edges = links.map(({ from, to, type, indices, any }) => {
    const label = `${type}${indices === undefined ? '' : ` [${indices}]`}`;
    return `  ${from} -> ${to} [label=${quote(label)}${any ? ', style=dashed' : ''}];`;
  });
  return ['digraph jobs {', '  node [shape=box];', ...nodes, ...edges, '}', ''].join('\n');
}

function labelOf({ id, label, state, tasks, completed }: GraphJob): string {
  const progress = tasks === undefined || tasks === 1 ? '' : ` ${completed ?? 0}/${tasks}`;
  return `${id} ${label}${state === undefined ? '' : `\n${state}${progress}`}`;
}

const COLOURS: Readonly<Record<string, string>> = {
  completed: 'palegreen',
  failed: 'salmon',
  running: 'lightcyan',
  cancelled: 'khaki',
  skipped: 'khaki',
  blocked: 'lightgrey',
  held: 'lightgrey',
};

function colourOf({ state }: GraphJob): string {
  const colour = state === undefined ? undefined : COLOURS[state];
  return colour === undefined ? '' : `, style=filled, fillcolor=${colour}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
