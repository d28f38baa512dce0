import { describe, expect, test } from 'vitest';
import { refuseLine } from '../../config/slurm/refusal.ts';
import { SpawnError } from '../../core/errors.ts';
import type { World } from '../world.ts';
import { iterate } from './iterate.ts';

/** What was written, and the exit code. @param pauses how many of them before a person has enough */
async function iterated(shows: readonly (() => Promise<void>)[], pauses = shows.length): Promise<string> {
  let said = '';
  let listener: ((code: number) => void) | undefined;
  let shown = 0;
  let paused = 0;
  const sink = { write: (text: string) => (said += text) };
  const world = {
    stdout: sink,
    stderr: sink,
    onInterrupt: (listen: (code: number) => void) => {
      listener = listen;
      return () => {
        listener = undefined;
      };
    },
    pause: async () => {
      paused++;
      if (paused === pauses) listener?.(130);
    },
  } as unknown as World;
  const exit = await iterate('squeue', 1, world, () => {
    const show = shows[shown++]!;
    // Only then a signal ends the program, also one that waits for an answer that does not come.
    expect(listener).toBeUndefined();
    said += `${shown}:`;
    return show();
  });
  return `${said}rc=${exit}`;
}

const works = async () => {};
const away = async () => {
  throw new SpawnError('SERVER_UNREACHABLE', { address: 'there', cause: 'refused' });
};
const refuses = async () => {
  throw refuseLine('no such thing', 1);
};

describe('again and again', () => {
  test('outlives a coordinator that is away', async () => {
    const said = await iterated([away, works, away, works]);
    const words = 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n';
    expect(said.replaceAll(/^squeue: .*\n/gm, '')).toBe(`1:${words}\n2:\n3:${words}\n4:\nrc=130`);
  });

  test('ends when a person has enough', async () => {
    expect(await iterated([works, works, works], 2)).toBe('1:\n2:\nrc=130');
  });

  test('says once what is wrong with its words, and tells what is wrong later', async () => {
    await expect(iterated([refuses])).rejects.toThrow('no such thing');
    expect(await iterated([works, refuses, works])).toBe('1:\n2:squeue: error: no such thing\n\n3:\nrc=130');
  });

  test('does not hide faults of its own', async () => {
    const broken = async () => {
      throw new TypeError('broken');
    };
    await expect(iterated([works, broken])).rejects.toThrow('broken');
  });
});
