import { constants } from 'node:os';

/** Signals that srun passes on to its processes, or acts on. Slurm: srun(1), SIGNALS AND ESCAPE SEQUENCES. */
const PASSED = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGQUIT'] as const;
const ENDS = ['SIGTERM', 'SIGHUP'] as const;
/** Two Ctrl-C within it are meant. */
const TWICE_MS = 1_000;

/** What becomes of the signals that srun gets. */
export interface Interrupts {
  /** The first Ctrl-C. */
  readonly onFirst: () => void;
  /** The second within a second, or the only one with `--quit-on-interrupt`. */
  readonly onSecond: () => void;
  /** It is to end, now. */
  readonly onEnd: (signal: number) => void;
  readonly onPassed: (signal: number) => void;
}

/** Listens until the function that it returns is called. */
export function listenToSignals(quitOnInterrupt: boolean, to: Interrupts): () => void {
  let last = Number.NEGATIVE_INFINITY;
  const onInterrupt = () => {
    const now = performance.now();
    if (quitOnInterrupt || now - last <= TWICE_MS) to.onSecond();
    else to.onFirst();
    last = now;
  };
  const onEnd = (signal: NodeJS.Signals) => to.onEnd(constants.signals[signal]);
  const onPassed = (signal: NodeJS.Signals) => to.onPassed(constants.signals[signal]);
  process.on('SIGINT', onInterrupt);
  for (const signal of ENDS) process.on(signal, onEnd);
  for (const signal of PASSED) process.on(signal, onPassed);
  return () => {
    process.off('SIGINT', onInterrupt);
    for (const signal of ENDS) process.off(signal, onEnd);
    for (const signal of PASSED) process.off(signal, onPassed);
  };
}
