/** A rule of who is told of what. */
export interface StoredAlert {
  /** Never given twice. */
  id: number;
  owner: string;
  tenant: string;
  createdAt: number;
  /** 0 = it holds. */
  deletedAt: number;
  /** JSON. */
  detail: string;
}

/** One message about something that happened. */
export interface StoredDelivery {
  /** What receivers know it by; the key. */
  id: string;
  /** 0: a rule of its job's spec. */
  alertId: number;
  /** 0: it is about no job. */
  jobId: number;
  owner: string;
  tenant: string;
  createdAt: number;
  /** When it is tried; 0 once it was delivered or given up. Those with a time are loaded at start. */
  nextAt: number;
  /** JSON. */
  detail: string;
}

/** With its place in the history, given by the store, which grows. */
export interface NumberedDelivery extends StoredDelivery {
  seq: number;
}

export interface DeliveriesQuery {
  alertId?: number;
  jobId?: number;
  /** Only of this owner, in this tenant. */
  whose?: { owner: string; tenant: string };
  /** Only with a smaller seq. */
  before?: number;
  limit: number;
}
