import { readFile } from 'node:fs/promises';
import { exposedAddresses } from '../config.ts';
import { isRefusal } from '../domain/reasons.ts';
import type { DirectoryService } from '../services/directory-service.ts';
import type { LocalView } from '../services/local-view.ts';
import type { Running } from './running.ts';

interface Parts {
  readonly directory: DirectoryService;
  readonly view: LocalView;
}

/** Loads the configured file into an empty store. @throws Error with a sentence for the operator */
export async function importFirstDirectory(running: Running, { directory, view }: Parts): Promise<void> {
  const { config, log } = running;
  const file = config.directory;
  if (file === undefined || view.directory) return;
  const text = await readFile(file, 'utf8');
  const result = await directory.importYaml(text, { actor: 'start-up', ifEmpty: true });
  if (!isRefusal(result)) return;
  if (result.refused !== 'storeUnavailable')
    throw new Error(`${file}: ${result.detail ?? 'the directory is not valid'}`);
  // Demo passwords on a public address are refused at start only: there nothing is imported later.
  const later = exposedAddresses(config).length === 0;
  const when = later ? 'when it does' : 'at the next start';
  log.warn({ file }, `the store does not answer: the directory is imported ${when}`);
  if (!later) return;
  const again = view.onReconnect(() => {
    again();
    importFirstDirectory(running, { directory, view }).catch((error: unknown) =>
      log.error({ err: error }, 'the directory could not be imported'),
    );
  });
}

/** Passwords everybody can read in the demo's files are no passwords. @throws Error on a public address */
export function refuseExposedDemo({ config }: Running, { directory, view }: Parts): void {
  const [exposed] = exposedAddresses(config);
  if (!exposed || !view.directory || !directory.usesDemoCredentials(view.directory)) return;
  const where = `${exposed.path.join('.')}: ${exposed.host}`;
  throw new Error(
    `The directory still has the demo's passwords, which must not be served on a public address (${where})`,
  );
}
