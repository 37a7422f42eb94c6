import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rules of the house: who may import whom, what is kept out of the domain, and how long things may get. */

const root = new URL('../..', import.meta.url).pathname;

interface Rule {
  /** Folders (with a slash at the end) and files of the project it may import, from `src/`. */
  readonly project: readonly string[];
  readonly packages: readonly string[];
  /** Whether `node:*` may be imported. */
  readonly node: boolean;
}

/** Interfaces that stand beside their implementations and may be imported where those may not. */
const STORE = 'store/store.ts';
const MEDIA = 'media/media.ts';

const HOUSE: Readonly<Record<string, Rule>> = {
  domain: { project: ['domain/'], packages: [], node: false },
  services: {
    project: ['services/', 'domain/', STORE, MEDIA],
    packages: [
      'zod',
      'yaml',
      'csv-parse',
      '@node-rs/argon2',
      'google-libphonenumber',
      'luxon',
      'nodemailer',
      'otpauth',
      'openid-client',
    ],
    node: true,
  },
  sip: { project: ['sip/', 'services/', 'domain/', MEDIA], packages: ['drachtio-srf'], node: true },
  http: {
    project: ['http/', 'services/', 'domain/'],
    packages: [
      ...[
        'fastify',
        '@fastify/cookie',
        '@fastify/static',
        '@fastify/swagger',
        'fastify-type-provider-zod',
        'zod',
        'csv-stringify',
      ],
    ],
    node: true,
  },
  'sip-engine': { project: ['sip-engine/'], packages: ['ws'], node: true },
  store: { project: ['store/', 'domain/'], packages: ['ioredis', 'zod'], node: true },
  media: { project: ['media/', 'domain/'], packages: ['sdp-transform'], node: true },
  wiring: { project: [''], packages: [], node: true },
};

/** The process shell: the files beside the folders. Only server.ts and wiring/ join implementations. */
const SHELL: Readonly<Record<string, readonly string[]>> = {
  'server.ts': [''],
  'main.ts': ['config.ts', 'config-example.ts', 'log.ts', 'os-packages.ts', 'server.ts'],
  'config.ts': ['config-schema.ts'],
  'pin.ts': ['config.ts'],
  'config-schema.ts': [
    'config-catalogue.ts',
    'config-http.ts',
    'config-listen.ts',
    'config-redis.ts',
    'config-trunks.ts',
    'config-words.ts',
    'config-smtp.ts',
    'config-web-phone.ts',
  ],
  'config-catalogue.ts': ['config-words.ts'],
  'config-http.ts': ['config-words.ts'],
  'config-listen.ts': ['config-words.ts'],
  'config-redis.ts': ['config-words.ts'],
  'config-smtp.ts': ['config-words.ts'],
  'config-trunks.ts': ['config-words.ts'],
  'config-web-phone.ts': ['config-words.ts'],
  'config-words.ts': [],
  'config-example.ts': ['config-schema.ts'],
  'log.ts': ['config-schema.ts', 'scrub.ts'],
  'scrub.ts': [],
  'os-packages.ts': [],
  'data-folder.ts': [],
  'summary.ts': ['domain/'],
};

/** Libraries with one place each. */
const OWNERS: Readonly<Record<string, string>> = {
  'drachtio-srf': 'sip/',
  ioredis: 'store/',
  fastify: 'http/',
  nodemailer: 'services/emergency-notices/',
  otpauth: 'services/totp.ts',
  'openid-client': 'services/identity-provider.ts',
  ws: 'sip-engine/',
  pino: 'log.ts',
  'pino-pretty': 'log.ts',
};

interface Source {
  /** Path from `src/`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  readonly imports: readonly string[];
}

const TOKENS = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

function withoutComments(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('/') ? token.replace(/[^\n]/g, ' ') : token));
}

/** What a file imports, by `from`, for its effects, at run time, or as a type written in place. */
function importsOf(code: string): string[] {
  const found = code.matchAll(
    /\bfrom\s+'([^']+)'|(?<!\/)\bimport\s*\(?\s*'([^']+)'|\brequire\(\s*'([^']+)'/g,
  );
  return [...found].map(([, from, direct, required]) => from ?? direct ?? required ?? '');
}

function read(path: string): Source {
  const text = readFileSync(join(root, 'src', path), 'utf8');
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(code) };
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('portal/'))
  .sort()
  .map(read);

function folderOf(path: string): string | undefined {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined;
}

/** `../domain/view.ts` seen from `http/ports.ts` is `domain/view.ts`. */
function resolve(path: string, target: string): string {
  return normalize(join(dirname(path), target));
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function isAllowed(path: string, target: string): boolean {
  const folder = folderOf(path);
  const rule = folder === undefined ? undefined : HOUSE[folder];
  if (target.startsWith('.')) {
    const allowed = rule?.project ?? SHELL[path] ?? [];
    const resolved = resolve(path, target);
    return allowed.some((entry) => (entry.endsWith('.ts') ? resolved === entry : resolved.startsWith(entry)));
  }
  if (rule === undefined) return folder === undefined;
  return target.startsWith('node:') ? rule.node : rule.packages.includes(packageOf(target));
}

/** Lines of each function, for code as the formatter writes it: the body ends where its indentation comes back. */
function longFunctions(text: string, limit: number): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, start) => {
    const isFunction =
      /(\)|=>|\): [^;=]+) \{$/.test(line) && !/^\s*(\} )?(if|for|while|switch|catch|else)\b/.test(line);
    if (!isFunction) return [];
    const indent = /^ */.exec(line)?.[0] ?? '';
    const length = lines
      .slice(start)
      .findIndex((next, offset) => offset > 0 && next.startsWith(`${indent}}`));
    return length > limit ? [`line ${start + 1}: ${length} lines`] : [];
  });
}

function offenders(pattern: RegExp, where: (path: string) => boolean): string[] {
  return sources.filter(({ path, code }) => where(path) && pattern.test(code)).map(({ path }) => path);
}

test('the source is found', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
});

describe('imports', () => {
  test.each(sources.map((source) => [source.path, source] as const))('%s', (path, { imports }) => {
    expect(imports.filter((target) => !isAllowed(path, target))).toEqual([]);
  });

  test('every folder and every file beside them has a rule', () => {
    const known = [...Object.keys(HOUSE), ...Object.keys(SHELL)];
    expect(sources.map(({ path }) => folderOf(path) ?? path).filter((name) => !known.includes(name))).toEqual(
      [],
    );
  });

  test.each(Object.entries(OWNERS))('%s is imported under %s only', (library, owner) => {
    const users = sources.filter(({ imports }) => imports.some((target) => packageOf(target) === library));
    expect(users.map(({ path }) => path).filter((path) => !path.startsWith(owner))).toEqual([]);
  });

  test('own files are named with .ts, and exist', () => {
    const paths = new Set([...sources.map(({ path }) => path), 'portal/build.ts']);
    for (const { path, imports } of sources) {
      const own = imports.filter((target) => target.startsWith('.')).map((target) => resolve(path, target));
      expect(
        own.filter((target) => !paths.has(target)),
        path,
      ).toEqual([]);
    }
  });
});

describe('the portal', () => {
  /** What runs in the browser; the others make it. */
  const BUILDERS = ['portal/build.ts', 'portal/vite.config.ts'];
  const PACKAGES = ['preact', '@preact/signals', 'qrcode-generator'];
  /** Large: the phone's page alone brings it along. */
  const SIP = 'sip.js';
  const pages = readdirSync(join(root, 'src/portal'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => read(`portal/${path}`));

  /** Imports that bring code along: `import type` is gone once it is built. */
  function codeOf({ path, code }: Source): string[] {
    const targets = importsOf(code.replace(/\bimport type\b[^;]*;/g, ''));
    return targets.map((target) => (target.startsWith('.') ? resolve(path, target) : target));
  }

  test('its pages bring nothing of the server into the browser', () => {
    expect(pages.length).toBeGreaterThan(20);
    for (const page of pages.filter(({ path }) => !BUILDERS.includes(path))) {
      const isForeign = (target: string): boolean =>
        !target.startsWith('portal/') &&
        !(target === SIP && page.path.startsWith('portal/phone/')) &&
        !PACKAGES.includes(target.replace(/\/(hooks|jsx-runtime)$/, ''));
      expect(codeOf(page).filter(isForeign), page.path).toEqual([]);
    }
  });

  test('it knows the shapes of the API, and no others', () => {
    for (const { path, imports } of pages) {
      const outside = imports
        .filter((target) => target.startsWith('.'))
        .map((target) => resolve(path, target))
        .filter((target) => !target.startsWith('portal/'));
      expect(
        outside.filter((target) => !/^http\/[\w-]*schemas\.ts$/.test(target)),
        path,
      ).toEqual([]);
    }
  });

  test('nothing else imports it but who builds and serves it', () => {
    const users = sources.filter(({ path, imports }) =>
      imports.some((target) => target.startsWith('.') && resolve(path, target).startsWith('portal/')),
    );
    expect(users.map(({ path }) => path)).toEqual(['wiring/http.ts']);
  });

  test('no file is longer than 400 lines, but for the one with its words', () => {
    const long = pages.filter(
      ({ path, text }) => path !== 'portal/texts.ts' && text.split('\n').length > 401,
    );
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('a page that brings code of the server would be seen', () => {
    const code = "import type { z } from 'zod';\nimport { host } from '../../http/schemas.ts';";
    expect(codeOf({ path: 'portal/api/x.ts', text: code, code, imports: [] })).toEqual(['http/schemas.ts']);
  });
});

describe('what stays out', () => {
  test('process.env is read in config.ts only', () => {
    expect(
      offenders(/\bprocess\s*\.\s*env\b|\benv\s*\}\s*=\s*process\b/, (path) => path !== 'config.ts'),
    ).toEqual([]);
  });

  test.each([
    ['a clock', /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b/],
    ['chance', /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/],
    ['timers', /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
    ['promises', /\basync\b|\bawait\b|\bPromise\b/],
    ['the process and the console', /\bprocess\.|\bconsole\./],
  ])('the domain has no %s', (_name, pattern) => {
    expect(offenders(pattern, (path) => path.startsWith('domain/'))).toEqual([]);
  });

  test('no unfinished work, no printing', () => {
    expect(sources.filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text)).map(({ path }) => path)).toEqual(
      [],
    );
    expect(offenders(/\bconsole\.\w+\(/, () => true)).toEqual([]);
  });
});

describe('size', () => {
  test('no file is longer than 400 lines', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 401);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('no function is longer than 60 lines', () => {
    const long = sources.flatMap(({ path, text }) =>
      longFunctions(text, 60).map((where) => `${path} ${where}`),
    );
    expect(long).toEqual([]);
  });
});

describe('reasons', () => {
  const reasons = [...read('domain/reasons.ts').code.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name]) => name);

  test.each(['sip/', 'http/'])('%s has an answer for every reason', (folder) => {
    expect(reasons.length).toBeGreaterThan(20);
    const tables = sources.filter(
      ({ path, code }) => path.startsWith(folder) && /satisfies Record<\s*Reason\b/.test(code),
    );
    expect(tables.length).toBeGreaterThan(0);
    for (const { path, code } of tables) {
      const missing = reasons.filter((reason) => !new RegExp(`^  ${reason}: `, 'm').test(code));
      expect(missing, path).toEqual([]);
    }
  });
});

describe('these rules can fail', () => {
  test.each([
    ['domain/x.ts', 'node:fs'],
    ['domain/x.ts', 'zod'],
    ['domain/x.ts', '../services/hot-desk.ts'],
    ['services/x.ts', '../store/redis/redis-store.ts'],
    ['services/x.ts', '../media/create-media.ts'],
    ['services/x.ts', 'ioredis'],
    ['sip/x.ts', '../http/ports.ts'],
    ['sip/x.ts', '../sip-engine/engine.ts'],
    ['sip/calls/x.ts', '../../store/store.ts'],
    ['http/x.ts', '../sip/app.ts'],
    ['http/routes/x.ts', '../../log.ts'],
    ['sip-engine/x.ts', '../domain/uri.ts'],
    ['sip-engine/x.ts', 'drachtio-srf'],
    ['sip/x.ts', 'ws'],
    ['store/x.ts', '../services/ports.ts'],
    ['media/x.ts', '../store/store.ts'],
    ['main.ts', './sip/app.ts'],
    ['log.ts', './domain/view.ts'],
    ['elsewhere/x.ts', 'zod'],
  ])('%s may not import %s', (path, target) => {
    expect(isAllowed(path, target)).toBe(false);
  });

  test.each([
    ['services/x.ts', '../store/store.ts'],
    ['sip/calls/x.ts', '../../media/media.ts'],
    ['http/routes/x.ts', '../../domain/view.ts'],
    ['server.ts', './store/redis/redis-store.ts'],
    ['media/x.ts', 'node:dgram'],
    ['sip-engine/transport/x.ts', 'ws'],
  ])('%s may import %s', (path, target) => {
    expect(isAllowed(path, target)).toBe(true);
  });

  test('every way to import is seen, and none in a comment', () => {
    const code = [
      "import a from './a.ts';",
      "import {\n  type B,\n} from './b.ts';",
      "export { c } from './c.ts';",
      "import './d.ts';",
      "const e = await import('./e.ts');",
      "type F = import('./f.ts').F;",
      "// import g from './g.ts';",
      "/* export * from './h.ts'; */ const url = 'https://x'; import i from './i.ts';",
    ].join('\n');
    const names = importsOf(withoutComments(code));
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'i'].map((name) => `./${name}.ts`));
  });

  test('a long function is seen', () => {
    const body = '  work();\n'.repeat(61);
    for (const head of [
      'function f() {',
      'const f = async (x: number) => {',
      'function f(\n  x: number,\n): Promise<X> {',
    ]) {
      expect(longFunctions(`${head}\n${body}}\n`, 60)).toHaveLength(1);
      expect(longFunctions(`${head}\n  work();\n}\n${body}`, 60)).toEqual([]);
    }
  });
});
