/** Who has names: one machine of one member of an array. */
export interface NameOwner {
  /** Of the instance. */
  readonly id: string;
  /** Only owners of one array share a group's name, and a member's name goes from owner to owner of one array only. */
  readonly arrayId: string;
  /** Grows with each machine of the same member: of two that have its name, the later one is in force. */
  readonly generation: number;
}

export interface OwnedName {
  /** Full name, lower case, without a dot at its end. */
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  /** A name of the group: every owner adds its address. Else it is the owner's alone. */
  readonly shared: boolean;
}

/** The names of running instances, as DNS tells them. */
export interface NameZone {
  /**
   * The names that this owner has from now on, all of them: others that it had go. The same again changes nothing. Nobody else's names
   * are touched. A name that another array has is kept for it and comes into force when that one gives it up.
   *
   * @returns names of these that are not in force now: another array has them, or a later machine of the same member
   * @throws RangeError for what is no name of the zone or no IPv4 address: a bug, input is checked before
   */
  set(owner: NameOwner, names: readonly OwnedName[]): readonly string[];
  /** Takes the names of an owner away, and nobody else's; one that has none is nothing. */
  remove(ownerId: string): void;
}

/** A DNS server that answers for a zone. */
export interface DnsServer {
  readonly zone: NameZone;
  /** Where it listens, over UDP and TCP. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}
