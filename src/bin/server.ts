#!/usr/bin/env node
import { enter } from './node-version.ts';

await enter(async () => (await import('../compose/serve.ts')).serve);
