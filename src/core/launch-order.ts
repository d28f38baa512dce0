/** Launches under way at once, started and not yet running: what one machine or one provider takes without failing. */
export const WIDE = 64;

export interface LaunchState {
  /** Ranks whose task is ready and that have no live instance, ascending. Only as many are read as are used. */
  readonly waiting: Iterable<number>;
  /** Instances that are not ended, stopped ones left out: what `--max-concurrent` counts. */
  readonly live: number;
  /** Of these, launched and not yet running. */
  readonly underWay: number;
  /** 0 = no bound. */
  readonly maxConcurrent: number;
  readonly launchDelayMs: number;
  /** Epoch ms of the last launch; undefined before the first. */
  readonly lastLaunchAt: number | undefined;
  readonly now: number;
  /** While some run first: whether this rank is one of them. Undefined when none do, or when they have passed. */
  readonly isFirst?: ((rank: number) => boolean) | undefined;
  /** Default WIDE. */
  readonly wide?: number;
}

export interface LaunchDecision {
  /** Ranks to launch now, in this order. */
  readonly launch: readonly number[];
  /** Epoch ms at which there is more to launch, if nothing changes before; undefined: only a change can bring more. */
  readonly nextAt: number | undefined;
}

/** Which instances to launch now. */
export function launchNow(state: LaunchState): LaunchDecision {
  const { now, launchDelayMs, lastLaunchAt, isFirst } = state;
  const free = state.maxConcurrent > 0 ? state.maxConcurrent - state.live : Number.POSITIVE_INFINITY;
  const room = Math.min(free, (state.wide ?? WIDE) - state.underWay);
  if (room <= 0) return { launch: [], nextAt: undefined };
  const dueAt = launchDelayMs > 0 && lastLaunchAt !== undefined ? lastLaunchAt + launchDelayMs : now;
  const most = launchDelayMs > 0 ? 1 : room;
  const launch: number[] = [];
  for (const rank of state.waiting) {
    if (isFirst !== undefined && !isFirst(rank)) continue;
    if (dueAt > now) return { launch: [], nextAt: dueAt };
    if (launch.length === most) return { launch, nextAt: most < room ? now + launchDelayMs : undefined };
    launch.push(rank);
  }
  return { launch, nextAt: undefined };
}
