/** From TERM to KILL for what still runs when the machine itself ends. */
export const MACHINE_GRACE_MS = 5_000;
/** An attempt gets TERM, then KILL after the grace of its job: longer than this is not waited for. */
export const MOST_END_MS = 35_000;
/** From TERM to KILL when the machine ends by its own deadline. */
export const LAST_RESORT_GRACE_MS = 10_000;
/** The machine itself acts so much later than its agent is to. */
export const AFTER_AGENT_MS = 3_000;
