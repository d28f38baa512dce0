import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the data set of the npm package vega-datasets lies. */
export const dataFolder = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url));

/**
 * The CSV files of the data set, always in the same order: the index of a task is a position in this list.
 *
 * @returns {string[]} absolute paths
 */
export function listFiles() {
  return readdirSync(dataFolder)
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .map((name) => join(dataFolder, name));
}
