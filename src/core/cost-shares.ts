/** One instance under a cap. All amounts in USD, and all within the cap: of its whole life, or since the month began. */
export interface ShareMember {
  readonly id: string;
  /** Its last word on what it has spent. */
  readonly spent: number;
  /**
   * The most that it may think it has: the largest share that was sent to it since the last one that it acknowledged, that one included.
   * 0 before it got one.
   */
  readonly held: number;
  /** USD an hour. */
  readonly rate: number;
}

export interface SharedCap {
  readonly limit: number;
  /** What instances have spent that will never spend again. */
  readonly ended: number;
  /** Those that live, or that are about to be launched. */
  readonly members: readonly ShareMember[];
  /** Rates of members that are to be launched later: what is put by for them, so that the first do not take all. USD an hour. */
  readonly laterRate?: number;
}

/**
 * The share that each member shall have from now on. What is left is split so that all can run for the same time. A share that shrinks
 * counts in full until its agent has acknowledged the smaller one (`held`), so at every moment what has ended and what everybody may
 * still think to have add up to no more than the limit, also when no agent hears of this. No share is below what was spent already.
 */
export function splitCap({ limit, ended, members, laterRate = 0 }: SharedCap): Map<string, number> {
  const spent = members.reduce((sum, member) => sum + member.spent, 0);
  const rates = members.reduce((sum, member) => sum + member.rate, laterRate);
  const left = Math.max(0, limit - ended - spent);
  // What costs nothing gets equal parts.
  const targets = members.map(({ spent: own, rate }) => own + left * (rates > 0 ? rate / rates : 1 / members.length));
  const held = members.reduce((sum, member) => sum + Math.max(member.held, member.spent), 0);
  const free = Math.max(0, limit - ended - held);
  const wanted = members.reduce(
    (sum, member, at) => sum + Math.max(0, targets[at]! - Math.max(member.held, member.spent)),
    0,
  );
  const part = wanted > free ? free / wanted : 1;
  return new Map(
    members.map((member, at) => {
      const has = Math.max(member.held, member.spent);
      const more = targets[at]! - has;
      return [member.id, more > 0 ? has + more * part : targets[at]!];
    }),
  );
}

/** What all of it may come to at most: the sum that must not pass the limit. */
export function committed({ ended, members }: Pick<SharedCap, 'ended' | 'members'>): number {
  return members.reduce((sum, member) => sum + Math.max(member.held, member.spent), ended);
}
