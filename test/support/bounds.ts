/** What is used here of a JSON schema. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

/** A limit of one field, a value of the whole request that is one over it, and one that is at it. */
export interface Bound {
  readonly where: string;
  readonly limit: number;
  readonly over: unknown;
  readonly at: unknown;
}

/** Finds all limits of a request in the schemas of an OpenAPI document. */
export class Bounds {
  readonly found: Bound[] = [];
  /** Texts and lists that may be as long as the whole request. */
  readonly unbounded: string[] = [];
  readonly #schemas: Readonly<Record<string, Schema>>;

  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas;
  }

  /** @param wrap makes a whole request of a value at this place */
  look(schema: Schema, where: string, wrap: (value: unknown) => unknown): void {
    const {
      type,
      maxLength,
      maximum,
      maxItems,
      items,
      properties,
      additionalProperties: more,
      ...rest
    } = this.#at(schema);
    const note = (limit: number, over: unknown, at: unknown) =>
      void this.found.push({ where, limit, over: wrap(over), at: wrap(at) });
    for (const option of [...(rest.oneOf ?? []), ...(rest.anyOf ?? [])]) this.look(option, where, wrap);
    if (type === 'string' && rest.enum === undefined && rest.const === undefined && rest.pattern === undefined) {
      if (maxLength === undefined) this.unbounded.push(where);
      else note(maxLength, '/'.padEnd(maxLength + 1, '1'), '/'.padEnd(maxLength, '1'));
    }
    if ((type === 'integer' || type === 'number') && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) {
      note(maximum, maximum + 1, maximum);
    }
    if (type === 'array') {
      const sample = this.sample(items ?? {});
      if (maxItems !== undefined) note(maxItems, Array(maxItems + 1).fill(sample), Array(maxItems).fill(sample));
      else if (rest.prefixItems === undefined) this.unbounded.push(where);
      if (items !== undefined) this.look(items, `${where}[0]`, (value) => wrap([value]));
    }
    if (typeof more === 'object') this.look(more, `${where}.k`, (value) => wrap({ k: value }));
    if (properties === undefined) return;
    const own = this.sample({ ...rest, type: 'object', properties });
    for (const [name, field] of Object.entries(properties)) {
      this.look(field, `${where}.${name}`, (value) => wrap({ ...(own as object), [name]: value }));
    }
  }

  /** The smallest value that fits. */
  sample(schema: Schema): unknown {
    const { type, const: only, enum: words, minLength = 0, minimum, exclusiveMinimum, ...rest } = this.#at(schema);
    if (only !== undefined) return only;
    if (words !== undefined) return words[0];
    const [option] = [...(rest.oneOf ?? []), ...(rest.anyOf ?? [])];
    if (option !== undefined) return this.sample(option);
    if (type === 'string')
      return rest.pattern?.includes('[0-9a-f]{64}')
        ? 'a'.repeat(64)
        : '/'.padEnd(minLength, 'a').slice(0, Math.max(1, minLength));
    if (type === 'integer' || type === 'number')
      return minimum ?? (exclusiveMinimum === undefined ? 0 : exclusiveMinimum + 1);
    if (type === 'boolean') return false;
    if (type === 'array')
      return (rest.prefixItems ?? Array(rest.minItems ?? 0).fill(rest.items)).map((item) => this.sample(item));
    const names = rest.required ?? [];
    return Object.fromEntries(names.map((name) => [name, this.sample(rest.properties?.[name] ?? {})]));
  }

  #at(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : this.#at(this.#schemas[schema.$ref.split('/').at(-1)!]!);
  }
}
