import { type Command, defineCommand, type Entry } from '../command.ts';
import { completionWords } from '../completion/words.ts';
import type { DialectEntry } from '../slurm/registry.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** @param entries what is completed, with `slurm`: they hold this one too, so they cannot be looked up here */
export function completionOf(entries: readonly Entry[], slurm: readonly DialectEntry[]): Command {
  return defineCommand({
    usage: ['completion bash|zsh|fish'],
    about:
      'Prints a script that lets a shell complete commands, options, their values, and the numbers and names of jobs. Jobs are\n' +
      'asked for only while a coordinator runs; none is started for it.',
    options: {},
    operands: { name: 'bash, zsh or fish', min: 1, max: 1, choices: SHELLS },
    examples: [
      { line: 'eval "$(spawn completion bash)"', says: 'in ~/.bashrc' },
      { line: 'source <(spawn completion zsh)', says: 'in ~/.zshrc, after compinit' },
      { line: 'spawn completion fish | source', says: 'in ~/.config/fish/config.fish' },
    ],
    run: async ({ operands }, world) => {
      const verbs = await completionWords(entries, slurm);
      world.stdout.write(await script(operands[0] as (typeof SHELLS)[number], verbs));
      return 0;
    },
  });
}

async function script(
  shell: (typeof SHELLS)[number],
  verbs: Awaited<ReturnType<typeof completionWords>>,
): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashScript(verbs);
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshScript(verbs);
    case 'fish':
      return (await import('../completion/fish.ts')).fishScript(verbs);
  }
}
