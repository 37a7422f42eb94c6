/** Every operation of the OpenAPI document, with requests made of its own schemas. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly minItems?: number;
}

interface Parameter {
  readonly in: string;
  readonly name: string;
}

interface Described {
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** What stands in a path, by what is before it; and in a body, by its name. */
export interface Sample {
  readonly paths: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Operation {
  readonly method: string;
  /** Behind `/api/v1`, with `{names}`. */
  readonly template: string;
  /** For who has not signed in. */
  readonly isOpen: boolean;
  readonly query: readonly string[];
  readonly takesIfMatch: boolean;
  /** Undefined: no body of JSON. */
  readonly schema: Schema | undefined;
}

export function operationsOf(document: ApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    path.startsWith('/api/v1')
      ? Object.entries(item).map(([method, described]) => operationOf(method, path, described))
      : [],
  );
}

function operationOf(method: string, path: string, described: Described): Operation {
  const { parameters = [], security, requestBody } = described;
  return {
    method: method.toUpperCase(),
    template: path.slice('/api/v1'.length),
    isOpen: security?.length === 0,
    query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
    takesIfMatch: parameters.some(({ name }) => name === 'if-match'),
    schema: requestBody?.content['application/json']?.schema,
  };
}

export function nameOf({ method, template }: Operation): string {
  return `${method} ${template}`;
}

export function pathOf({ template }: Operation, { paths }: Sample): string {
  const id = Object.entries(paths).find(([start]) => template.startsWith(start))?.[1] ?? 'no-such-thing';
  return template.replace(/\{\w+\}/, encodeURIComponent(id)).replace(/\{\w+\}/g, 'no-such-thing');
}

/** A body that names what the sample names; undefined where none is taken. */
export function bodyOf({ schema }: Operation, sample: Sample, { components }: ApiDocument): unknown {
  const of = (given: Schema, name: string, depth: number): unknown => {
    if (name in sample.fields) return sample.fields[name];
    const one = resolved(given, components.schemas);
    if (one.const !== undefined) return one.const;
    if (one.enum) return one.enum[0];
    const [choice] = one.anyOf ?? one.oneOf ?? [];
    if (choice) return of(choice, name, depth);
    if (one.properties) return objectOf(one, depth);
    return plain(one, depth);
  };
  const objectOf = ({ properties = {}, required = [] }: Schema, depth: number): object => {
    const wanted = Object.entries(properties).filter(
      ([name]) => required.includes(name) || name in sample.fields,
    );
    return Object.fromEntries(
      wanted.map(([name, each]) => [name, depth > 6 ? null : of(each, name, depth + 1)]),
    );
  };
  const plain = ({ type, items, minimum = 1 }: Schema, depth: number): unknown => {
    switch (Array.isArray(type) ? type[0] : type) {
      case 'array':
        return items ? [of(items, '', depth + 1)] : [];
      case 'integer':
      case 'number':
        return Math.max(1, minimum);
      case 'boolean':
        return true;
      case 'object':
        return {};
      default:
        return 'something';
    }
  };
  return schema === undefined ? undefined : of(schema, '', 0);
}

function resolved(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const name = schema.$ref?.split('/').pop();
  const found = name === undefined ? undefined : (schemas[name] ?? schemas[name.replace(/Input$/, '')]);
  return found ?? schema.allOf?.[0] ?? schema;
}
