/** From TERM to KILL for what still runs when the machine itself ends. */
export const MACHINE_GRACE_MS = 5_000;
/** An attempt gets TERM, then KILL after the grace of its job: longer than this is not waited for. */
export const MOST_END_MS = 35_000;
