export interface Loop {
  /** Runs it now, or again at once if it is running. */
  wake(): void;
  /** Resolves when it does not run any more. */
  stop(): Promise<void>;
}

const AFTER_ERROR_MS = 1_000;

/**
 * Runs something now and again, never twice at the same time.
 *
 * @param runOnce gives ms until the next run
 * @param onError is told when it fails; the next run is in a second
 */
export function startLoop(runOnce: () => Promise<number>, onError: (error: unknown) => void): Loop {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    let delayMs = AFTER_ERROR_MS;
    try {
      delayMs = await runOnce();
    } catch (error) {
      onError(error);
    }
    running = undefined;
    if (stopped) return;
    if (again) begin();
    else timer = setTimeout(begin, delayMs);
  };
  const begin = (): void => {
    again = false;
    clearTimeout(timer);
    running = run();
  };

  begin();
  return {
    wake() {
      if (stopped) return;
      if (running === undefined) begin();
      else again = true;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
