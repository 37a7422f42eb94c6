import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from '../../src/os-packages.ts';

const SCHEMA = fileURLToPath(new URL('schemas/location.xsd', import.meta.url));

/** What xmllint has against these documents, one text each, `''` for a valid one. One process for all of them. */
export async function problemsOf(documents: readonly string[]): Promise<string[]> {
  const missing = await ensurePackages([{ binary: 'xmllint', package: 'libxml2-utils' }], () => undefined);
  if (missing !== undefined) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), 'hotdesk-location-'));
  try {
    const names = documents.map((_, index) => join(folder, `${index}.xml`));
    await Promise.all(documents.map((document, index) => writeFile(names[index]!, document)));
    const said = await xmllint(['--nonet', '--noout', '--schema', SCHEMA, ...names]);
    return names.map((name) => {
      if (said.includes(`${name} validates\n`)) return '';
      const about = said.split('\n').filter((line) => line.startsWith(name));
      return about.map((line) => line.slice(name.length)).join('\n') || said;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What an XPath expression finds in a document, as text. */
export async function textOf(document: string, path: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hotdesk-location-'));
  try {
    const name = join(folder, 'document.xml');
    await writeFile(name, document);
    return (await xmllint(['--nonet', '--xpath', `string(${path})`, name])).replace(/\n$/, '');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function xmllint(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('xmllint', [...args], { maxBuffer: 64_000_000 }, (error, stdout, stderr) => {
      if (error && (error as NodeJS.ErrnoException).code === 'ENOENT') reject(error);
      else resolve(`${stdout}${stderr}`);
    });
  });
}
