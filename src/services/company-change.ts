import type { Company } from '../domain/directory.ts';
import { VOICE_PORTAL_KEYS, type VoicePortal, type VoicePortalKeys } from '../domain/voice-portal.ts';

/** Settings an administrator changes one by one; undefined clears one that may be absent. */
export type CompanyChange = Partial<
  Pick<
    Company,
    | 'associationLimit'
    | 'idleLimitMinutes'
    | 'expiryWarningMinutes'
    | 'passcodeLength'
    | 'hotDeskLicences'
    | 'voicemailNumber'
  >
> & {
  readonly addOnLicences?: Partial<Company['addOnLicences']>;
  readonly ringOwnPhone?: Partial<Company['ringOwnPhone']>;
  readonly voicePortal?: VoicePortalChange | undefined;
};

/** What is not there stays; a portal that is new has the usual keys, and needs a number. */
export interface VoicePortalChange {
  readonly number?: string;
  readonly keys?: { readonly [Menu in keyof VoicePortalKeys]?: Partial<VoicePortalKeys[Menu]> };
}

/** The company with this change; groups of settings keep what the change does not name. */
export function changedCompany(company: Company, change: CompanyChange): Company {
  const { addOnLicences, ringOwnPhone, voicePortal, ...plain } = change;
  return {
    ...{ ...company, ...plain },
    addOnLicences: { ...company.addOnLicences, ...addOnLicences },
    ringOwnPhone: { ...company.ringOwnPhone, ...ringOwnPhone },
    ...('voicePortal' in change && {
      voicePortal: voicePortal && changedPortal(company.voicePortal, voicePortal),
    }),
  };
}

function changedPortal(before: VoicePortal | undefined, { number, keys }: VoicePortalChange): VoicePortal {
  const { main, hoteling, recordedName } = before?.keys ?? VOICE_PORTAL_KEYS;
  return {
    // None at all is found out where every entry is checked.
    number: number ?? before?.number ?? '',
    keys: {
      main: { ...main, ...keys?.main },
      hoteling: { ...hoteling, ...keys?.hoteling },
      recordedName: { ...recordedName, ...keys?.recordedName },
    },
  };
}
