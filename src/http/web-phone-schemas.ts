import { z } from 'zod';

const demoPhone = z.object({
  id: z.string(),
  nickname: z.string(),
  model: z.string(),
  kind: z.enum(['commonArea', 'user']),
  owner: z.string().nullable().describe('Extension of whose own phone it is.'),
  timeZone: z.string().nullable().describe('IANA; of its site.'),
  password: z.string().describe('Its SIP password, as config/demo.yaml has it.'),
});

export const webPhone = z
  .object({
    url: z.string().describe('WebSocket to connect to (RFC 7118).'),
    domain: z.string().describe('SIP domain and digest realm.'),
    featureAccessCodes: z.object({ logIn: z.string(), logOut: z.string() }),
    emergencyNumbers: z
      .array(z.string())
      .describe('As they are dialled at any site, with and without its outside-line prefix.'),
    demo: z
      .object({
        phones: z.array(demoPhone),
        people: z.array(z.object({ extension: z.string(), name: z.string() })),
      })
      .nullable()
      .describe('null: one has to know a phone and its password.'),
  })
  .meta({ id: 'WebPhone' });
