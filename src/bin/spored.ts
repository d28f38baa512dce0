#!/usr/bin/env node
import { isInsideVerb } from './inside.ts';
import { enter } from './node-version.ts';

const [verb] = process.argv.slice(2);
await enter(async () => {
  if (verb === 'instances') return (await import('./serve-instances.ts')).serveInstances;
  if (verb === 'step-host') {
    const { stepHost } = await import('../worker/steps/step-host.ts');
    return (argv: string[]) => stepHost(argv.slice(1));
  }
  if (verb === 'host') return (await import('../worker/hosts/inside/host.ts')).runHost;
  if (isInsideVerb(verb)) return (await import('./inside.ts')).runInside;
  return (await import('../worker/main.ts')).main;
});
