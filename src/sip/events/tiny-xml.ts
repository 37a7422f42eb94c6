/**
 * Reads the small XML documents phones send, and nothing else: elements, attributes, namespaces and text. What has
 * entities, CDATA, comments, processing instructions or a DTD is refused, so nothing is ever expanded or fetched.
 */

export interface Element {
  /** Without prefix. */
  readonly name: string;
  /** `''`: none. */
  readonly namespace: string;
  /** Of the element itself, without blanks around it. */
  readonly text: string;
  readonly children: readonly Element[];
}

/** Characters; bytes are at least as many. */
const MAX_LENGTH = 4_096;
const MAX_ELEMENTS = 64;
const MAX_DEPTH = 8;

const NAME = String.raw`[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?`;
const VALUE = `(?:"[^"<&]*"|'[^'<&]*')`;
const PROLOGUE =
  /^\uFEFF?\s*(?:<\?xml\s+version=(["'])1\.[01]\1(?:\s+encoding=(["'])(?:utf-8|iso-8859-1|us-ascii)\2)?(?:\s+standalone=(["'])(?:yes|no)\3)?\s*\?>)?\s*/i;
const TAG = new RegExp(
  String.raw`<(?:/(?<end>${NAME})\s*|(?<start>${NAME})(?<attributes>(?:\s+${NAME}\s*=\s*${VALUE})*)\s*(?<empty>/?))>`,
  'y',
);
const ATTRIBUTE = new RegExp(String.raw`(${NAME})\s*=\s*(${VALUE})`, 'g');
/** XML 1.0 2.2, but for what needs two units of UTF-16. */
const CHARACTERS = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD]*$/;

type Scope = ReadonlyMap<string, string>;

interface Open {
  readonly qualified: string;
  readonly scope: Scope;
  readonly element: { name: string; namespace: string; text: string; children: Element[] };
}

/** The root element; undefined for what is not well-formed, too long, too deep or more than is read here. */
export function readXml(text: string): Element | undefined {
  if (text.length > MAX_LENGTH || !CHARACTERS.test(text)) return undefined;
  const open: Open[] = [];
  let at = PROLOGUE.exec(text)?.[0].length ?? 0;
  for (let elements = 0; elements <= MAX_ELEMENTS; ) {
    TAG.lastIndex = at;
    const groups = TAG.exec(text)?.groups;
    if (!groups) return undefined;
    at = TAG.lastIndex;
    if (groups.start !== undefined) {
      elements++;
      if (!begin(open, groups)) return undefined;
    }
    if (groups.end !== undefined || groups.empty === '/') {
      const ended = end(open, groups.end);
      if (!ended) return undefined;
      if (open.length === 0) return text.slice(at).trim() === '' ? ended : undefined;
    }
    const next = text.indexOf('<', at);
    if (next < 0 || !addText(open, text.slice(at, next))) return undefined;
    at = next;
  }
  return undefined;
}

function begin(open: Open[], { start = '', attributes = '' }: Record<string, string | undefined>): boolean {
  const parent = open.at(-1);
  const scope = scopeOf(attributes, parent?.scope ?? new Map());
  const [local = '', prefix = ''] = start.split(':').reverse();
  const namespace = scope?.get(prefix) ?? (prefix === '' ? '' : undefined);
  if (!scope || namespace === undefined || open.length >= MAX_DEPTH) return false;
  const element = { name: local, namespace, text: '', children: [] };
  parent?.element.children.push(element);
  open.push({ qualified: start, scope, element });
  return true;
}

/** Namespaces by prefix; undefined for an attribute that stands there twice. */
function scopeOf(attributes: string, outer: Scope): Scope | undefined {
  const scope = new Map(outer);
  const seen = new Set<string>();
  for (const [, name = '', value = ''] of attributes.matchAll(ATTRIBUTE)) {
    if (seen.has(name)) return undefined;
    seen.add(name);
    const declared = /^xmlns(?::(.*))?$/.exec(name);
    if (declared) scope.set(declared[1] ?? '', value.slice(1, -1));
  }
  return scope;
}

function end(open: Open[], name: string | undefined): Element | undefined {
  const ended = open.pop();
  if (!ended || (name !== undefined && name !== ended.qualified)) return undefined;
  ended.element.text = ended.element.text.trim();
  return ended.element;
}

function addText(open: readonly Open[], text: string): boolean {
  const parent = open.at(-1);
  if (!parent || text.includes('&') || text.includes(']]>')) return false;
  parent.element.text += text;
  return true;
}
