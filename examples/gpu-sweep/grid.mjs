const RATES = [0.003, 0.03, 0.3, 3];
const DECAYS = [0, 0.01, 0.3];

/** Every combination of the sweep: the index of a task is a position in this list. */
export const grid = RATES.flatMap((rate) => DECAYS.map((decay) => ({ rate, decay })));
