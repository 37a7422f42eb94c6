import type { Directory, Site } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { DirectoryEdit, DirectoryRefusal, DirectoryService } from './directory-service.ts';
import { isOtherTag } from './entry-tag.ts';
import type { Log } from './ports.ts';

/** undefined clears what may be absent, and what is not there stays. */
export type SiteChange = Partial<Omit<Site, 'id'>>;

export interface SitesDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly log: Log;
}

interface SiteOptions {
  readonly actor: string;
  readonly ifTag?: string | undefined;
}

/** Administration of sites. */
export class Sites {
  readonly #deps: SitesDependencies;

  constructor(deps: SitesDependencies) {
    this.#deps = deps;
  }

  /** Refused with alreadyExists, or what the directory refuses. */
  async add(site: Site, actor: string): Promise<Site | DirectoryRefusal> {
    const done = await this.#deps.directory.editDirectory(
      ({ sites }) =>
        sites.has(site.id)
          ? { refused: 'alreadyExists', detail: site.id }
          : { put: [{ kind: 'site', value: site }] },
      actor,
    );
    return isRefusal(done) ? done : this.#told('site added', site, actor);
  }

  /** Refused with unknownSite, changedMeanwhile, or what the directory refuses. */
  async change(
    id: string,
    change: SiteChange,
    { actor, ifTag }: SiteOptions,
  ): Promise<Site | DirectoryRefusal> {
    let changed: Site | undefined;
    const done = await this.#deps.directory.editDirectory((directory): DirectoryEdit | Refusal => {
      const before = siteIn(directory, id, ifTag);
      if (isRefusal(before)) return before;
      changed = { ...before, ...change };
      return { put: [{ kind: 'site', value: changed }] };
    }, actor);
    if (isRefusal(done) || !changed) return done as DirectoryRefusal;
    return this.#told('site changed', changed, actor);
  }

  /** Refused with inUse while people or phones are there, unknownSite, changedMeanwhile, or what the directory refuses. */
  async remove(id: string, { actor, ifTag }: SiteOptions): Promise<'done' | DirectoryRefusal> {
    const done = await this.#deps.directory.editDirectory((directory): DirectoryEdit | Refusal => {
      const site = siteIn(directory, id, ifTag);
      if (isRefusal(site)) return site;
      return whoIsAt(id, directory) ?? { remove: [{ kind: 'site', id }] };
    }, actor);
    if (!isRefusal(done)) this.#deps.log.info({ site: id, actor }, 'site removed');
    return done;
  }

  #told(text: string, site: Site, actor: string): Site {
    this.#deps.log.info({ site: site.id, actor }, text);
    return site;
  }
}

function siteIn({ sites }: Directory, id: string, ifTag: string | undefined): Site | Refusal {
  const site = sites.get(id);
  if (!site) return { refused: 'unknownSite' };
  return isOtherTag(site, ifTag) ? { refused: 'changedMeanwhile' } : site;
}

function whoIsAt(id: string, { users, hosts }: Directory): Refusal | undefined {
  for (const host of hosts.values())
    if (host.site === id) return { refused: 'inUse', detail: `phone ${host.id} is there` };
  for (const user of users.values())
    if (user.site === id) return { refused: 'inUse', detail: `${user.extension} belongs there` };
  return undefined;
}
