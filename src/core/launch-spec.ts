/** What of a JobSpec with an `instances` part the plan goes by. */
export interface LaunchSpec {
  readonly name: string;
  /** How many members may live at once; 0 = all. */
  readonly throttle: number;
  readonly canary: number;
  readonly retries: number;
  readonly run: { readonly kind: string };
  readonly instances: {
    readonly type: string;
    readonly region: string;
    readonly zone?: string | undefined;
    readonly names: string;
    readonly standalone: boolean;
    readonly ttlMs: number;
    readonly ttlMode: 'running' | 'wall';
    readonly idleTimeoutMs: number;
    readonly onIdle: string;
    readonly onComplete: string;
    readonly spot: boolean;
    readonly spotMaxPrice?: number | undefined;
    readonly dns?: string | undefined;
    readonly minViable?: number | undefined;
    readonly costLimit?: number | undefined;
    readonly strict: boolean;
    readonly params?: readonly unknown[] | undefined;
  };
}

/** Where it is to be launched. */
export interface LaunchPlace {
  /** What all instances share; undefined where each has a machine of its own. */
  readonly capacity?: { readonly vcpus: number; readonly memoryBytes: number } | undefined;
  /** Zones of the region, in order. */
  readonly zones: readonly string[];
  /** Label of the account in DNS names: core/account-label.ts. */
  readonly account: string;
  readonly domain: string;
  /** Default MAX_INSTANCES. */
  readonly maxInstances?: number;
}
