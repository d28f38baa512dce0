/** Questions whose answers are kept, and the longest of them, bytes: what carries more than a name and plain EDNS is seldom asked twice. */
const MOST_QUESTIONS = 4_096;
const LONGEST_QUESTION = 280;
/** Of a name with so many addresses or fewer every order is kept; of others none. */
const MOST_ORDERS = 8;

/** The whole answers to one question, one for each order of its addresses. */
interface Kept {
  readonly orders: number;
  readonly responses: Uint8Array[];
  turn: number;
}

/** An answer as it was made, and in how many orders it can be given. */
export interface Made {
  readonly response: Uint8Array;
  readonly orders: number;
}

/**
 * Answers by the bytes of their questions, all but the id, as long as the zone is the same: what is asked again is answered with a copy. Letters in
 * another case are another question, since an answer repeats them.
 */
export class AnswerCache {
  readonly #kept = new Map<string, Kept>();
  #version = -1;

  /** @param version of the zone; @param make gives the answer, undefined where there must be none */
  answer(query: Buffer, version: number, make: () => Made | undefined): Uint8Array | undefined {
    if (query.length > LONGEST_QUESTION) return make()?.response;
    if (version !== this.#version) {
      this.#kept.clear();
      this.#version = version;
    }
    const key = query.toString('latin1', 2);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.responses.length === kept.orders) {
      kept.turn = (kept.turn + 1) % kept.orders;
      return withId(kept.responses[kept.turn]!, query);
    }
    const made = make();
    if (made === undefined || made.orders > MOST_ORDERS) return made?.response;
    if (kept === undefined) this.#keep(key, made);
    else kept.responses.push(made.response);
    return made.response;
  }

  #keep(key: string, { response, orders }: Made): void {
    if (this.#kept.size === MOST_QUESTIONS) this.#kept.clear();
    this.#kept.set(key, { orders, responses: [response], turn: 0 });
  }
}

/** A copy: the socket may still have the bytes of the one before. */
function withId(response: Uint8Array, query: Uint8Array): Uint8Array {
  const copy = Buffer.from(response);
  copy[0] = query[0]!;
  copy[1] = query[1]!;
  return copy;
}
