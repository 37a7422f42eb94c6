import { stringify } from 'yaml';
import { configJsonSchema } from './config-schema.ts';

/** As much of JSON Schema as the configuration uses. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly required?: readonly string[];
}

const WIDTH = 100;

const HEADER = `# Every setting of Hotdesk with its default; a line that starts with "#" and a setting has none and is optional.
# Name your file with HOTDESK_CONFIG and write only what differs. Check it with: npm run config:check FILE
# Unknown settings and bad values are refused, never guessed. Times are in seconds.
# Written from the schema by: npm run config:example
`;

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: true, lineWidth: 0 }).trim();
}

function comment(node: Node): string[] {
  const choices = node.enum === undefined ? '' : ` One of: ${node.enum.join(', ')}.`;
  return wrap(`${node.description ?? ''}${choices}`.trim(), WIDTH).map((line) => `# ${line}`);
}

function needOf(key: string, { default: standard }: Node, item: Node): string {
  if (standard !== undefined) return ` Default: ${flow(standard)}.`;
  return item.required?.includes(key) ? '' : ' Optional.';
}

/** What the entries of a list are made of, as a table in comments. */
function entryTable(item: Node): string[] {
  const entries = Object.entries(item.properties ?? {});
  const width = Math.max(0, ...entries.map(([key]) => key.length)) + 2;
  return entries.flatMap(([key, field]) => {
    const choices = field.enum === undefined ? '' : ` ${field.enum.join(' or ')}.`;
    const lines = wrap(`${field.description}${choices}${needOf(key, field, item)}`, WIDTH - width - 2);
    return lines.map((line, index) => `#   ${(index === 0 ? key : '').padEnd(width)}${line}`);
  });
}

function list(key: string, values: readonly unknown[]): string[] {
  if (values.length === 0) return [`${key}: []`];
  if (values.every((value) => typeof value !== 'object')) return [`${key}: ${flow(values)}`];
  return [`${key}:`, ...values.map((value) => `  - ${flow(value)}`)];
}

function setting(key: string, node: Node): string[] {
  if (node.properties !== undefined && node.default !== undefined) {
    return [`${key}:`, ...group(node.properties).map((line) => `  ${line}`)];
  }
  if (Array.isArray(node.default)) return list(key, node.default);
  if (node.default !== undefined) return [`${key}: ${flow(node.default)}`];
  return [`# ${key}: ${flow(node.examples?.[0] ?? '')}`];
}

function table(node: Node): string[] {
  if (node.items?.properties !== undefined) return ['# Each entry:', ...entryTable(node.items)];
  return node.properties !== undefined && node.default === undefined ? entryTable(node) : [];
}

function example(key: string, node: Node): string[] {
  const [values] = node.examples ?? [];
  if (!Array.isArray(values) || !Array.isArray(node.default)) return [];
  return ['# For example:', ...list(key, values).map((line) => `# ${line}`)];
}

function group(properties: Readonly<Record<string, Node>>): string[] {
  return Object.entries(properties).flatMap(([key, node]) => [
    ...comment(node),
    ...table(node),
    ...example(key, node),
    ...setting(key, node),
  ]);
}

/** `config/hotdesk.example.yaml`: every setting with its description and default, written from the schema. */
export function exampleYaml(): string {
  const { properties = {} } = configJsonSchema() as Node;
  const parts = Object.entries(properties).map(([key, node]) => group({ [key]: node }).join('\n'));
  return `${HEADER}\n${parts.join('\n\n')}\n`;
}
