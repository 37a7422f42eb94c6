import type { DirectoryEntry } from '../../src/domain/directory-table.ts';
import { toStored } from '../../src/services/directory-document.ts';
import { Passcodes } from '../../src/services/passcodes.ts';
import { createSealing } from '../../src/services/sealing.ts';
import { sealContext } from '../../src/services/webhooks/sender.ts';
import type { DirectoryEntries } from '../../src/store/store.ts';

/** The company in which all of it happens: 60 desks, 80 people, one webhook. */

export const COMPANY = 'chaos';
export const WEBHOOK = 'witness';
const SITES = ['london', 'leeds'];
const DESKS = 60;
const PEOPLE = 80;
/** They log in by passcode, which costs a node 12 ms; the others are put at their desks by an administrator. */
const WITH_PASSCODE = 20;
export const PASSCODE = '739146';

export const hosts: readonly string[] = Array.from({ length: DESKS }, (_, i) => `cp${100 + i}`);
export const guests: readonly string[] = Array.from({ length: PEOPLE }, (_, i) => `${1000 + i}`);
export const guestsWithPasscode = guests.slice(0, WITH_PASSCODE);

export interface Secrets {
  readonly pepperHex: string;
  /** `whsec_…` of the webhook. */
  readonly webhookSecret: string;
}

/** The directory as the store keeps it. */
export async function directoryEntries(url: string, secrets: Secrets): Promise<DirectoryEntries> {
  const peppers = { keyId: 'chaos', pepper: Buffer.from(secrets.pepperHex, 'hex') };
  const sealedSecret = createSealing(peppers).seal(secrets.webhookSecret, sealContext(WEBHOOK));
  return toStored([
    companyEntry(),
    ...SITES.map(siteEntry),
    ...hosts.map(hostEntry),
    ...(await Promise.all(guests.map((guest) => userEntry(guest, new Passcodes(peppers))))),
    { kind: 'webhook', value: { id: WEBHOOK, url, events: [], enabled: true, sealedSecret } },
  ]);
}

function companyEntry(): DirectoryEntry {
  return {
    kind: 'company',
    value: {
      ...{ id: COMPANY, name: 'Chaos', country: 'GB', associationLimit: 12, hotDeskLicences: PEOPLE },
      featureAccessCodes: { logIn: '*90', logOut: '*91' },
      ...{
        occupiedDeskPolicy: 'deny',
        secondDeskPolicy: 'move',
        ringOwnPhone: { commonArea: false, user: false },
      },
      addOnLicences: { host: 0, guest: PEOPLE },
      ...{ expiryWarningMinutes: 0, passcodeLength: { min: 6, max: 12 } },
    },
  };
}

function siteEntry(id: string): DirectoryEntry {
  return {
    kind: 'site',
    value: {
      ...{ id, name: id, timeZone: 'Europe/London', outsideLinePrefix: '', emergencyNumbers: [] },
      callbackNumber: '+442079460100',
      ...{ emergencyTestNumbers: [], callbackMinutes: 60, emergencyContacts: { emails: [], phones: [] } },
    },
  };
}

function hostEntry(id: string, i: number): DirectoryEntry {
  return {
    kind: 'host',
    value: {
      ...{ id, kind: 'commonArea', nickname: id, site: SITES[i % 2]!, model: 'VVX 411' },
      ...{ expansionModule: false, enabled: true, accessLevel: 'company' },
      digest: { md5: '0'.repeat(32), sha256: '0'.repeat(64) },
      address: {
        ...{ customerName: 'Chaos', houseNumber: '1', street: 'Example Street', city: 'London' },
        ...{ postcode: 'EC1A 1AA', country: 'GB', room: id },
      },
    },
  };
}

async function userEntry(extension: string, passcodes: Passcodes): Promise<DirectoryEntry> {
  const hasPasscode = guestsWithPasscode.includes(extension);
  return {
    kind: 'user',
    value: {
      ...{ extension, name: `Person ${extension}`, site: SITES[0]!, numbers: [] },
      ...{ callerId: `+44207946${extension}`, plan: 'connect', hotDeskLicence: true, addOns: ['guest'] },
      ...{ guestEnabled: true, passcodeOneTime: false, hotelingKeys: false },
      ...(hasPasscode && { passcodeHash: await passcodes.hash(COMPANY, extension, PASSCODE) }),
    },
  };
}
