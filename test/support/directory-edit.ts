import { parse, stringify } from 'yaml';
import { ADMIN_TOKEN, type Hotdesk } from './hotdesk.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document as the API exports it
type Document = any;

/** Exports the directory, changes the document and imports it again; resolves with how to undo it. */
export async function editDirectory(
  hotdesk: Hotdesk,
  change: (document: Document) => void,
): Promise<() => Promise<void>> {
  const before: string = (await hotdesk.api('/api/v1/directory')).body;
  const document: Document = parse(before);
  change(document);
  await importDirectory(hotdesk, stringify(document));
  return () => importDirectory(hotdesk, before);
}

async function importDirectory(hotdesk: Hotdesk, text: string): Promise<void> {
  const response = await fetch(`${hotdesk.http}/api/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
    body: text,
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}
