import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** The OpenAPI document as a contract: what a request may hold and what an answer must, by the document's own schemas. */

interface Content {
  readonly schema?: object;
}

export interface Described {
  /** Empty: open to all. */
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: object;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: object;
}

export interface Sent {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Type of the body; undefined: there is none. */
  readonly type: string | undefined;
  readonly body: unknown;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  /** JSON that was read, or text. */
  readonly body: unknown;
}

const AJV = { strict: true, allowUnionTypes: true, allErrors: true } as const;
/** Whatever is not told in these is told nowhere. */
const WHERE = ['path', 'query', 'header'] as const;

export class ApiContract {
  readonly operations: ReadonlyMap<string, Described>;
  readonly #ajv: Ajv2020;
  readonly #components: object;
  readonly #compiled = new Map<object, ValidateFunction>();

  constructor(document: Document) {
    this.#ajv = new Ajv2020(AJV);
    formats.default(this.#ajv);
    // By what `$ref` says: `#/components/…` of whatever schema it stands in.
    this.#ajv.addVocabulary(['components']);
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, one]): [string, Described] => [nameOf(method, path), one]),
    );
    this.operations = new Map(operations);
    this.#components = document.components;
  }

  /** What is wrong with a request that ought to be right. */
  ofRequest(name: string, { path, query, headers, type, body }: Sent): string[] {
    const { parameters = [], requestBody } = this.#operation(name);
    const given = { path, query, header: headers };
    const wrong = WHERE.flatMap((where) => {
      const known = parameters.filter((parameter) => parameter.in === where);
      const lacking = known.filter(({ name: one, required }) => required && !(one in given[where]));
      // Any request may have headers besides.
      const strange = Object.keys(where === 'header' ? {} : given[where]).filter(
        (one) => !known.some(({ name: other }) => other === one),
      );
      return [
        ...lacking.map(({ name: one }) => `${where} lacks ${one}`),
        ...strange.map((one) => `${where} has ${one}, which the document does not`),
      ];
    });
    if (type === undefined) return wrong;
    const content = requestBody?.content[type];
    if (!content) return [...wrong, `the document takes no ${type}`];
    return [...wrong, ...this.#errors(content.schema, body).map((text) => `the body sent${text}`)];
  }

  /** What is wrong with an answer, whatever its status. */
  ofAnswer(name: string, { status, headers, body }: Received): string[] {
    const { responses } = this.#operation(name);
    const response = responses[status] ?? responses[`${String(status)[0]}XX`];
    if (!response) return [`the document does not know the status ${status}`];
    if (!response.content) return body === '' ? [] : ['there is a body'];
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const content = response.content[type];
    if (!content) return [`the document does not know the type ${type}`];
    return this.#errors(content.schema, body).map((text) => `the answer${text}`);
  }

  /** What is wrong with something that is told elsewhere than in an answer, by the schema of this name. */
  ofSchema(name: string, value: unknown): string[] {
    return this.#errors({ $ref: `#/components/schemas/${name}` }, value);
  }

  #operation(name: string): Described {
    const operation = this.operations.get(name);
    if (!operation) throw new Error(`The document has no ${name}`);
    return operation;
  }

  #errors(schema: object | undefined, value: unknown): string[] {
    if (!schema) return [' has no schema'];
    let validate = this.#compiled.get(schema);
    if (!validate) {
      validate = this.#ajv.compile({ ...schema, components: this.#components });
      this.#compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
  }
}

/** `GET /hosts/{id}`: without what every path of the API begins with. */
export function nameOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replace(/^\/api\/v1(?=\/)/, '')}`;
}
