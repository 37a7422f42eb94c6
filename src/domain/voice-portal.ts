/** Keys of the voice portal's menus, each one of `0-9 * #` (BroadWorks voice portal; rules B4–B6). */
export interface VoicePortalKeys {
  readonly main: {
    readonly recordName: string;
    readonly hoteling: string;
    readonly changePasscode: string;
    readonly emergencyAddress: string;
    readonly repeat: string;
    readonly exit: string;
  };
  readonly hoteling: {
    readonly checkHostStatus: string;
    readonly associate: string;
    readonly disassociate: string;
    readonly disassociateFromRemoteHost: string;
    readonly previous: string;
    readonly repeat: string;
  };
  /** After a name was recorded. */
  readonly recordedName: {
    readonly keep: string;
    readonly recordAgain: string;
    readonly repeat: string;
    readonly previous: string;
  };
}

export interface VoicePortal {
  /** Dialled from any phone. */
  readonly number: string;
  readonly keys: VoicePortalKeys;
}

/** As on the BT Cloud Voice help page: 7 for hotelling, then 1, 2, 3. */
export const VOICE_PORTAL_KEYS: VoicePortalKeys = {
  main: {
    recordName: '1',
    hoteling: '7',
    changePasscode: '8',
    emergencyAddress: '9',
    repeat: '#',
    exit: '*',
  },
  hoteling: {
    checkHostStatus: '1',
    associate: '2',
    disassociate: '3',
    disassociateFromRemoteHost: '4',
    previous: '*',
    repeat: '#',
  },
  recordedName: { keep: '1', recordAgain: '2', repeat: '#', previous: '*' },
};
