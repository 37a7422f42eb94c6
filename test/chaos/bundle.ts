import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** As much of esbuild as is used here. */
interface Esbuild {
  build(options: object): Promise<unknown>;
}
interface PluginBuild {
  onLoad(filter: { filter: RegExp }, load: (file: { path: string }) => Promise<object>): void;
  onResolve(filter: { filter: RegExp }, resolve: () => object): void;
}

/**
 * Puts node.ts and all it needs into one file and returns its path: a node that is killed every few seconds must not spend
 * them on compiling. What it runs is the same code.
 */
export async function bundleNode(folder: string): Promise<string> {
  const require = createRequire(import.meta.url);
  // Comes with vite.
  const { build } = createRequire(require.resolve('vite/package.json'))('esbuild') as Esbuild;
  const outfile = join(folder, 'node.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./node.ts', import.meta.url))],
    ...{ outfile, bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error' },
    plugins: [
      { name: 'own-urls', setup: keepOwnUrls },
      { name: 'native', setup: (b: PluginBuild) => leaveNative(b, require.resolve('@node-rs/argon2')) },
    ],
  });
  return outfile;
}

/** The Lua scripts are found beside the file that reads them. */
function keepOwnUrls(build: PluginBuild): void {
  build.onLoad({ filter: /\/(src|test)\/.*\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const url = JSON.stringify(pathToFileURL(path).href);
    return { loader: 'ts', contents: text.replaceAll('import.meta.url', url) };
  });
}

function leaveNative(build: PluginBuild, path: string): void {
  build.onResolve({ filter: /^@node-rs\/argon2$/ }, () => ({ path, external: true }));
}
