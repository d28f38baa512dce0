import { describe, expect, test } from 'vitest';
import { refuseLine } from '../../config/slurm/refusal.ts';
import { SpawnError } from '../../core/errors.ts';
import type { World } from '../world.ts';
import { iterate } from './iterate.ts';

/** What was written, and the exit code. @param pauses how many of them before a person has enough */
async function iterated(shows: readonly (() => Promise<void>)[], pauses = shows.length): Promise<string> {
  let said = '';
  let stop = (_: number) => {};
  let shown = 0;
  let paused = 0;
  const sink = { write: (text: string) => (said += text) };
  const world = {
    stdout: sink,
    stderr: sink,
    onInterrupt: (listener: (code: number) => void) => {
      stop = listener;
      return () => {};
    },
    pause: async () => {
      paused++;
      if (paused === pauses) stop(130);
    },
  } as unknown as World;
  const exit = await iterate('squeue', 1, world, () => {
    const show = shows[shown++]!;
    if (show === hangs) setImmediate(() => stop(143));
    said += `${shown}:`;
    return show();
  });
  return `${said}rc=${exit}`;
}

const works = async () => {};
const hangs = () => new Promise<void>(() => {});
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

  test('ends when a person has enough, also of waiting for an answer', async () => {
    expect(await iterated([works, hangs])).toBe('1:\n2:rc=143');
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
