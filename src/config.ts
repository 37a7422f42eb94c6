import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Config, configSchema } from './config-schema.ts';

export type { Config } from './config-schema.ts';
export { exposedAddresses } from './config-schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

interface Override {
  /** Setting it overrides; `undefined` for the one that names the file. */
  readonly path: string | undefined;
  readonly description: string;
}

/** Every environment variable that is read. A set one wins over the file; an empty one counts as not set. */
export const ENVIRONMENT = {
  HOTDESK_CONFIG: { path: undefined, description: 'Configuration file. Not set: the demo, on loopback.' },
  HOTDESK_DATA: { path: 'data', description: 'Data folder.' },
  HOTDESK_PEPPER: { path: 'pepper', description: 'Secret mixed into passcode hashes, hexadecimal.' },
  HOTDESK_ADMIN_TOKEN: { path: 'http.adminToken', description: 'Bearer token of the admin API.' },
  HOTDESK_OIDC_SECRET: {
    path: 'http.oidc.clientSecret',
    description: 'Client secret for the identity provider.',
  },
  REDIS_URL: { path: 'redis.url', description: 'Redis to use instead of a private one.' },
  DRACHTIO_HOST: {
    path: 'sip.drachtio.host',
    description: 'drachtio-server to use instead of the embedded engine.',
  },
  DRACHTIO_PORT: { path: 'sip.drachtio.port', description: 'Its application port.' },
  DRACHTIO_SECRET: { path: 'sip.drachtio.secret', description: 'Its shared secret.' },
  LOG_LEVEL: { path: 'log.level', description: 'Least serious level written to the log.' },
} as const satisfies Record<string, Override>;

type Tree = { [key: string]: unknown };

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Copies `tree` with `value` at `path`. What is in the way and no map stays, for the schema to refuse. */
function withSetting(tree: Tree, path: readonly string[], value: unknown): Tree {
  const [key = '', ...rest] = path;
  if (rest.length === 0) return { ...tree, [key]: value };
  const branch = tree[key] ?? {};
  return isTree(branch) ? { ...tree, [key]: withSetting(branch, rest, value) } : tree;
}

function overlay(tree: Tree, env: Environment): { tree: Tree; names: Map<string, string> } {
  const names = new Map<string, string>();
  let result = tree;
  for (const [name, { path }] of Object.entries(ENVIRONMENT)) {
    const value = env[name];
    if (path === undefined || value === undefined || value === '') continue;
    const number = path.endsWith('.port') && /^\d+$/.test(value);
    result = withSetting(result, path.split('.'), number ? Number(value) : value);
    names.set(path, name);
  }
  return { tree: result, names };
}

// --- loading

/** A configuration, or every problem with it: one line each, naming the setting, never its value. */
export type Loaded = { readonly config: Config } | { readonly problems: readonly string[] };

/** What runs when no file is named: the demo. */
const NO_FILE: Tree = {
  demo: true,
  directory: 'config/demo.yaml',
  // Phones beside it, and in browsers.
  sip: {
    listen: [
      { protocol: 'udp', host: '127.0.0.1', port: 5060 },
      { protocol: 'tcp', host: '127.0.0.1', port: 5060 },
      { protocol: 'ws', host: '127.0.0.1', port: 5066 },
    ],
  },
  // Somebody who tries webhooks has the receiver beside it.
  webhooks: { allowInsecure: true, allowedNetworks: ['127.0.0.0/8', '::1/128'] },
};

/** Reads YAML without quoting it: a message that shows the line could show a password. */
function parseFile(file: string): { tree: unknown } | { problems: string[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(file, { prettyErrors: false, lineCounter });
  const problems = document.errors.map(({ code, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return `line ${line}, column ${col}: not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
  });
  return problems.length > 0 ? { problems } : { tree: document.toJS() ?? {} };
}

function sentence(issue: z.core.$ZodIssue): { path: PropertyKey[]; text: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], text: 'unknown setting' }));
  }
  const isGroup = issue.code === 'invalid_type' && issue.expected === 'object';
  return [{ path: issue.path, text: isGroup ? 'expected a group of settings' : issue.message }];
}

function explain(error: z.ZodError, names: ReadonlyMap<string, string>): string[] {
  const lines = error.issues.flatMap(sentence).map(({ path, text }) => {
    const setting = path.join('.') || 'the file';
    const name = names.get(setting);
    return `${name === undefined ? setting : `${name} (${setting})`}: ${text}`;
  });
  return [...new Set(lines)];
}

/** Checks the text of a configuration file (`undefined`: there is none, the demo) under the environment. */
export function loadConfig(env: Environment, file: string | undefined): Loaded {
  const parsed = file === undefined ? { tree: NO_FILE } : parseFile(file);
  if ('problems' in parsed) return parsed;
  if (!isTree(parsed.tree)) return { problems: ['the file: expected a group of settings'] };
  const { tree, names } = overlay(parsed.tree, env);
  const result = configSchema.safeParse(tree);
  return result.success ? { config: result.data } : { problems: explain(result.error, names) };
}

/** Reads the file `HOTDESK_CONFIG` names, if any, and checks it under the environment. */
export async function readConfig(env: Environment = process.env): Promise<Loaded> {
  const path = env.HOTDESK_CONFIG;
  if (path === undefined || path === '') return loadConfig(env, undefined);
  try {
    return loadConfig(env, await readFile(path, 'utf8'));
  } catch (error) {
    return { problems: [`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`] };
  }
}
