/** An answer of ours that differs from Slurm's on purpose. */
export interface Difference {
  /** Of a row of the table of differences in docs/slurm.md: `D3`. */
  readonly id: string;
  /** Whole lines of the real transcript, as normalised; with `spawn` in their place it is ours. */
  readonly real: string;
  readonly spawn: string;
}

/** A black box: lines of shell over Slurm's commands, whose answers must be the same from Slurm and from spawn. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  /**
   * One step a line, in a shell with the words of words.sh. Each step's standard output, standard error and exit code are compared; those
   * of a line that begins with `q ` are not: it prepares.
   */
  readonly lines: string;
  /** What varies from run to run, and what takes its place. */
  readonly normalise: readonly (readonly [RegExp, string])[];
  readonly differences: readonly Difference[];
  /** Needs idle nodes: runs when no other scenario does. */
  readonly alone: boolean;
  /** The real side does it as root, as whom spawn's coordinator runs; else as a user without rights. */
  readonly root: boolean;
}

/** What a side answered to a scenario, after normalising. */
export type Transcript = string;
