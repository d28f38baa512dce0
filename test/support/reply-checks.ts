import { z } from 'zod';

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  readonly $ref?: string;
}

/** One route of an OpenAPI document. */
export interface Route {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly responses: Readonly<Record<string, Content>>;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly 'x-role': string;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Route, 'method' | 'path'>>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Content>>;
  };
}

/** Checks replies against what an OpenAPI document says of them: a field that it does not name is a fault. */
export class ReplyChecks {
  readonly routes: readonly Route[];
  readonly #document: Document;

  constructor(document: unknown) {
    this.#document = document as Document;
    this.routes = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => ({ ...route, path, method: method.toUpperCase() })),
    );
  }

  route(operationId: string): Route {
    const found = this.routes.find((route) => route.operationId === operationId);
    if (found === undefined) throw new Error(`the document has no operation ${operationId}`);
    return found;
  }

  /** The content type that the document tells for a status, and what is wrong with a value of it: a line a fault. */
  faults({ responses }: Route, status: number, value: unknown): string[] {
    const named = responses[String(status)] ?? responses.default;
    const reply =
      named?.$ref === undefined ? named : this.#document.components.responses[named.$ref.split('/').at(-1)!];
    const [content] = Object.values(reply?.content ?? {});
    if (content === undefined) return [`the document has no reply of status ${status}`];
    const result = this.#schema(content.schema).safeParse(value);
    return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  }

  #schema(schema: object): z.ZodType {
    const whole = { ...schema, $defs: this.#document.components.schemas };
    const local = JSON.stringify(whole).replaceAll('"#/components/schemas/', '"#/$defs/');
    return z.fromJSONSchema(JSON.parse(local));
  }
}
