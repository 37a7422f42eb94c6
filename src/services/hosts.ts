import type { CivicAddress, Host } from '../domain/directory.ts';
import type { DirectoryRefusal, DirectoryService } from './directory-service.ts';
import type { Log } from './ports.ts';

/** What an administrator changes of a host; undefined clears what may be absent, and what is not there stays. */
export interface HostChange {
  readonly address?: CivicAddress;
  readonly nickname?: string;
  readonly enabled?: boolean;
  readonly callbackNumber?: string | undefined;
  readonly associationLimitHours?: number | undefined;
  readonly accessLevel?: Host['accessLevel'];
}

export interface HostsDependencies {
  readonly directory: Pick<DirectoryService, 'updateHost'>;
  readonly log: Log;
}

/** Administration of hosts one by one. Each change is in the log of changes, with who made it. */
export class Hosts {
  readonly #deps: HostsDependencies;

  constructor(deps: HostsDependencies) {
    this.#deps = deps;
  }

  /**
   * Changes a host. Who gives an address says that it is right, where the phone is now. Refused with unknownHost,
   * invalidDirectory (its `problems` name each rule broken), storeUnavailable or stateUnknown.
   */
  async change(id: string, change: HostChange, actor: string): Promise<Host | DirectoryRefusal> {
    const { directory, log } = this.#deps;
    const changed = await directory.updateHost(
      id,
      (before) => {
        const host = { ...before, ...change };
        return change.address ? { host: confirmed(host), notice: 'locationVerified' } : { host };
      },
      actor,
    );
    if (!('refused' in changed)) log.info({ host: id, changed: Object.keys(change), actor }, 'host changed');
    return changed;
  }

  /**
   * Somebody has looked: the address is right for the network the phone is in now. Nothing to say of a phone that has
   * never registered: what was given for it is taken to be right. Refused as `change` is.
   */
  async verifyAddress(id: string, actor: string): Promise<Host | DirectoryRefusal> {
    const { directory, log } = this.#deps;
    let isNew = false;
    const verified = await directory.updateHost(
      id,
      (host) => {
        isNew = host.location?.verified === false;
        return isNew ? { host: confirmed(host), notice: 'locationVerified' } : undefined;
      },
      actor,
    );
    if (isNew && !('refused' in verified))
      log.info({ host: id, actor }, 'the address of a host was confirmed');
    return verified;
  }
}

function confirmed(host: Host): Host {
  return host.location ? { ...host, location: { ...host.location, verified: true } } : host;
}
