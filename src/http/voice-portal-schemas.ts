import { z } from 'zod';

/** What the API takes and gives about the voice portal. */

const key = z.string().regex(/^[0-9*#]$/, 'expected one key: 0-9, * or #');

const mainKeys = <Key extends z.ZodType>(one: Key) => ({
  recordName: one,
  hoteling: one,
  changePasscode: one,
  emergencyAddress: one,
  repeat: one,
  exit: one,
});

const hotelingKeys = <Key extends z.ZodType>(one: Key) => ({
  checkHostStatus: one,
  associate: one,
  disassociate: one,
  disassociateFromRemoteHost: one,
  previous: one,
  repeat: one,
});

/** After a name was recorded. */
const recordedNameKeys = <Key extends z.ZodType>(one: Key) => ({
  keep: one,
  recordAgain: one,
  repeat: one,
  previous: one,
});

export const voicePortal = z.object({
  number: z.string(),
  keys: z.object({
    main: z.object(mainKeys(key)),
    hoteling: z.object(hotelingKeys(key)),
    recordedName: z.object(recordedNameKeys(key)),
  }),
});

/** What is not there stays. */
export const voicePortalChange = z.strictObject({
  number: z.exactOptional(z.string().max(20)),
  keys: z.exactOptional(
    z.strictObject({
      main: z.exactOptional(z.strictObject(mainKeys(z.exactOptional(key)))),
      hoteling: z.exactOptional(z.strictObject(hotelingKeys(z.exactOptional(key)))),
      recordedName: z.exactOptional(z.strictObject(recordedNameKeys(z.exactOptional(key)))),
    }),
  ),
});
