/**
 * Random numbers in [0, 1) that depend on nothing but the seed (PCG XSH-RR 64/32: O'Neill, 2014), so that a simulation
 * gives the same result wherever and however often it runs. Seeds next to each other give independent streams.
 *
 * @param {number} seed a whole number from 0 on
 * @returns {() => number}
 */
export function randomFrom(seed) {
  const increment = (BigInt(seed) << 1n) | 1n;
  const step = (state) => BigInt.asUintN(64, state * 6364136223846793005n + increment);
  let state = step(step(0n) + BigInt(seed));
  return () => {
    const shifted = Number(BigInt.asUintN(32, ((state >> 18n) ^ state) >> 27n));
    const turn = Number(state >> 59n);
    state = step(state);
    return (((shifted >>> turn) | (shifted << (-turn & 31))) >>> 0) / 2 ** 32;
  };
}
