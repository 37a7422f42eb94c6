import { addressToKeep } from '../domain/address.ts';
import type { Association } from '../domain/association.ts';
import type { CivicAddress, Directory, Host } from '../domain/directory.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { View } from '../domain/view.ts';
import type { OrderWrite } from '../store/store.ts';
import { digestSecrets } from './digest-secrets.ts';
import type { DirectoryRefusal, DirectoryService } from './directory-service.ts';
import type { EditOptions, EditsWhileFree } from './edits-while-free.ts';
import type { Log } from './ports.ts';
import type { Registrar } from './registrar.ts';
import type { Removals } from './removals.ts';

/** A phone that is to be known. */
export interface NewPhone {
  /** Absent: `cp<mac>` of a common area phone, `u<extension>` of a user's. */
  readonly id?: string | undefined;
  readonly kind: Host['kind'];
  /** Whose it is to be; of kind `user` only. */
  readonly owner?: string | undefined;
  readonly nickname: string;
  readonly site: string;
  readonly model: string;
  readonly mac?: string | undefined;
  readonly expansionModule: boolean;
  readonly enabled: boolean;
  readonly accessLevel: Host['accessLevel'];
  readonly associationLimitHours?: number | undefined;
  readonly address: CivicAddress;
  readonly callbackNumber?: string | undefined;
}

export interface PhonesDependencies {
  readonly directory: Pick<DirectoryService, 'editDirectory'>;
  readonly edits: Pick<EditsWhileFree, 'change'>;
  readonly removals: Pick<Removals, 'remove'>;
  readonly registrar: Pick<Registrar, 'forgetFormer'>;
  readonly view: Pick<View, 'associationAt'>;
  /** Realm of digest authentication. */
  readonly realm: string;
  /** Bytes nobody can foresee. */
  readonly bytes: (count: number) => Uint8Array;
  readonly log: Log;
}

/** A phone and its SIP password, which is told once. */
export interface AddedPhone {
  readonly host: Host;
  readonly sipPassword: string;
}

/** Whose a phone is to be, what it is called, and where it stands. */
export interface PhoneAssignment {
  readonly owner: string;
  /** Absent: as it was. */
  readonly nickname?: string | undefined;
  readonly address: CivicAddress;
}

/** An order that is made with a conversion, in one step. */
export interface ConversionOrder {
  readonly order?: ((host: Host) => OrderWrite) | undefined;
  readonly whenOrdered?: ((order: { readonly id: string }) => void) | undefined;
}

const PASSWORD_BYTES = 18;

/** Phones that come, go, and change hands (rules A6, A7). */
export class Phones {
  readonly #deps: PhonesDependencies;

  constructor(deps: PhonesDependencies) {
    this.#deps = deps;
  }

  /**
   * A new phone and its SIP password, which is told here and never again. Refused with alreadyExists, invalidDirectory
   * (what is wrong with it, such as its address), storeUnavailable, stateUnknown or overloaded.
   */
  async add(wish: NewPhone, actor: string): Promise<AddedPhone | DirectoryRefusal> {
    const { directory, registrar, log } = this.#deps;
    const id = idFor(wish);
    if (id === undefined) return NO_ID;
    await registrar.forgetFormer(id);
    const { host, sipPassword } = this.#withPassword({ ...wish, id });
    const done = await directory.editDirectory(
      ({ hosts }) =>
        hosts.has(id) ? { refused: 'alreadyExists', detail: id } : { put: [{ kind: 'host', value: host }] },
      actor,
    );
    if (isRefusal(done)) return done;
    log.info({ host: id, kind: wish.kind, actor }, 'host added');
    return { host, sipPassword };
  }

  /**
   * New phones, all of them or none, in one step with the order they belong to. Refused as `add` is, and with
   * changedMeanwhile when the order is no longer what it was.
   */
  async addAll(
    wishes: readonly (NewPhone & { readonly id: string })[],
    { actor, order }: { readonly actor: string; readonly order: OrderWrite },
  ): Promise<readonly AddedPhone[] | DirectoryRefusal> {
    const { directory, registrar, log } = this.#deps;
    await Promise.all(wishes.map(({ id }) => registrar.forgetFormer(id)));
    const added = wishes.map((wish) => this.#withPassword(wish));
    const put = added.map(({ host }) => ({ kind: 'host', value: host }) as const);
    const done = await directory.editDirectory(({ hosts }) => {
      const taken = added.find(({ host }) => hosts.has(host.id));
      return taken ? { refused: 'alreadyExists', detail: taken.host.id } : { put, order };
    }, actor);
    if (isRefusal(done)) return done;
    log.info({ hosts: added.length, order: order.id, actor }, 'hosts of an order added');
    return added;
  }

  /** See Removals. */
  remove(id: string, options: EditOptions): Promise<'done' | DirectoryRefusal> {
    return this.#deps.removals.remove({ kind: 'host', id }, options);
  }

  /**
   * Takes a phone from its user (A7). It is nobody's then and switched off; the number stays the user's. An address is
   * asked for (A6): who gives it says that it is right. Refused with wrongKind, associationRunning, changedMeanwhile,
   * unknownHost or what the directory refuses.
   */
  unassign(id: string, address: CivicAddress, options: EditOptions): Promise<Host | DirectoryRefusal> {
    return this.#change(id, options, (host) =>
      host.owner === undefined
        ? { refused: 'wrongKind', detail: 'it is nobody’s phone' }
        : {
            ...confirmed(host, address),
            ...{ kind: 'commonArea', owner: undefined, reservedFor: host.owner, enabled: false },
          },
    );
  }

  /** Makes an unassigned phone a common area phone (A7). Refused as `unassign` is. */
  convert(
    id: string,
    { nickname, address }: { readonly nickname: string; readonly address: CivicAddress },
    options: EditOptions & ConversionOrder,
  ): Promise<Host | DirectoryRefusal> {
    return this.#change(id, options, (host) =>
      host.reservedFor === undefined
        ? { refused: 'wrongKind', detail: 'it is not unassigned' }
        : { ...confirmed(host, address), nickname, reservedFor: undefined, enabled: true },
    );
  }

  /**
   * Gives a phone to a person: it is theirs then, and no host until that is switched on. From an unassigned phone, or
   * from a common area phone, where nobody may be logged in. Who gives the address says that it is right (A6). Refused
   * with unknownUser, or as `unassign` is.
   */
  assign(
    id: string,
    { owner, nickname, address }: PhoneAssignment,
    options: EditOptions,
  ): Promise<Host | DirectoryRefusal> {
    return this.#change(id, options, (host, { users }) => {
      if (host.owner !== undefined) return { refused: 'wrongKind', detail: 'it is somebody’s phone' };
      if (!users.has(owner)) return { refused: 'unknownUser' };
      return {
        ...confirmed(host, address),
        ...{ kind: 'user', owner, reservedFor: undefined, enabled: false },
        ...(nickname !== undefined && { nickname }),
      };
    });
  }

  #withPassword<Wish extends NewPhone & { readonly id: string }>(wish: Wish): AddedPhone {
    const { realm, bytes } = this.#deps;
    const sipPassword = Buffer.from(bytes(PASSWORD_BYTES)).toString('base64url');
    const digest = digestSecrets(wish.id, realm, sipPassword);
    return { host: { ...wish, address: addressToKeep(wish.address), digest }, sipPassword };
  }

  async #change(
    id: string,
    { order, whenOrdered, ...options }: EditOptions & ConversionOrder,
    change: (host: Host, directory: Directory) => Host | Refusal,
  ): Promise<Host | DirectoryRefusal> {
    const { edits, view, log } = this.#deps;
    const uses = (): readonly Association[] => {
      const association = view.associationAt(id);
      return association ? [association] : [];
    };
    const changed = await edits.change(
      {
        ...{ kind: 'host', id, change, uses },
        notice: 'locationVerified',
        ...(order && { order }),
        whenOrdered,
      },
      options,
    );
    if (isRefusal(changed)) return changed;
    const { kind, owner, reservedFor } = changed;
    log.info({ host: id, kind, owner, reservedFor, actor: options.actor }, 'host changed hands');
    return { ...changed, address: addressToKeep(changed.address) };
  }
}

const NO_ID: DirectoryRefusal = {
  refused: 'invalidDirectory',
  detail: 'mac or id is needed',
  problems: ['host:.mac: is needed, or an id'],
};

/** What a new phone is called; undefined: nothing says it. */
export function idFor({ id, kind, mac, owner }: NewPhone): string | undefined {
  if (id !== undefined) return id;
  if (kind === 'user') return owner && `u${owner}`;
  return mac === undefined ? undefined : `cp${mac}`;
}

function confirmed(host: Host, address: CivicAddress): Host {
  return { ...host, address, ...(host.location && { location: { ...host.location, verified: true } }) };
}
