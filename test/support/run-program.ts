import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Printed {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program of Node's to its end, which strips the types of one in TypeScript. */
export async function runProgram(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Printed> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...printed };
}
