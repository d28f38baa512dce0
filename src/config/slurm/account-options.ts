import { optionsOf, type SlurmOption } from './sbatch-options.ts';

/** Every option of sacctmgr. */
export const SACCTMGR_OPTIONS: readonly SlurmOption[] = optionsOf([
  ['help', 'h', '', 'acts'],
  ['usage', '', '', 'acts'],
  ['immediate', 'i', '', 'noted', '', 'nothing is changed'],
  ['noheader', 'n', '', 'acts'],
  ['oneliner', 'o', '', 'noted'],
  ['parsable', 'p', '', 'acts'],
  ['parsable2', 'P', '', 'acts'],
  ['quiet', 'Q', '', 'noted'],
  ['readonly', 'r', '', 'noted', '', 'nothing is changed'],
  ['associations', 's', '', 'acts'],
  ['verbose', 'v', '', 'noted'],
  ['version', 'V', '', 'acts'],
]);

const ONE_CLUSTER = 'there is one cluster';

/** Every option of sshare. */
export const SSHARE_OPTIONS: readonly SlurmOption[] = optionsOf([
  ['accounts', 'A', '=', 'acts'],
  ['all', 'a', '', 'acts'],
  ['helpformat', 'e', '', 'acts'],
  ['long', 'l', '', 'acts'],
  ['partition', 'm', '', 'noted'],
  ['cluster', '', '=', 'noted', '', 'the same as `--clusters`'],
  ['clusters', 'M', '=', 'noted', '', ONE_CLUSTER],
  ['noheader', 'n', '', 'acts'],
  ['format', 'o', '=', 'acts'],
  ['parsable', 'p', '', 'acts'],
  ['parsable2', 'P', '', 'acts'],
  ['users', 'u', '=', 'acts'],
  ['Users', 'U', '', 'acts'],
  ['verbose', 'v', '', 'noted'],
  ['version', 'V', '', 'acts'],
  ['help', '', '', 'acts'],
  ['usage', '', '', 'acts'],
]);

/** Every option of sstat. */
export const SSTAT_OPTIONS: readonly SlurmOption[] = optionsOf([
  ['allsteps', 'a', '', 'acts'],
  ['helpformat', 'e', '', 'acts'],
  ['fields', '', '=', 'acts', '', 'the same as `--format`'],
  ['format', 'o', '=', 'acts'],
  ['jobs', 'j', '=', 'acts'],
  ['noconvert', '', '', 'noted'],
  ['noheader', 'n', '', 'acts'],
  ['parsable', 'p', '', 'acts'],
  ['parsable2', 'P', '', 'acts'],
  ['pidformat', 'i', '', 'acts'],
  ['help', 'h', '', 'acts'],
  ['usage', '', '', 'acts'],
  ['verbose', 'v', '', 'noted'],
  ['version', 'V', '', 'acts'],
]);
