import { expect, test } from 'vitest';
import { readWords } from '../../../config/slurm/getopt.ts';
import { SRUN_OPTIONS } from '../../../config/slurm/srun-options.ts';
import { readSrunRequest } from './read-request.ts';

test('a time that no timer can count is the longest that one can', () => {
  const { given, operands } = readWords('srun', SRUN_OPTIONS, ['--wait=999999999', '--immediate=99999999', 'true']);
  const { waitMs, immediateMs } = readSrunRequest(given, operands, { env: {}, now: () => 0 });
  expect([waitMs, immediateMs]).toEqual([2_147_483_647, 2_147_483_647]);
});
