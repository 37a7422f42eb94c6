import { z } from 'zod';
import { about, filled, flag, network, oneOf, seconds, TRUNK_URI, text } from './config-words.ts';

/** Headers that make a dialog, say who and where, or are ours to write; one-letter names are their compact forms. */
const OWN_HEADERS =
  /^(.|content-.*|geolocation.*|via|from|to|contact|call-id|cseq|route|record-route|path|max-forwards|require|proxy-require|supported|unsupported|allow|accept|expires|min-se|session-expires|replaces|join|rseq|rack|event|refer-to|priority|resource-priority|privacy|identity|date|reason|authorization|proxy-authorization|p-asserted-identity|p-preferred-identity|remote-party-id|mime-version)$/i;

function isExtraHeader(name: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(name) && !OWN_HEADERS.test(name);
}

const headers = z
  .record(z.string(), text('printable ASCII, at most 200 characters', /^(?=.*\S)[\x20-\x7e]{1,200}$/), {
    error: 'expected header names with a value each',
  })
  .refine((map) => Object.keys(map).every(isExtraHeader), {
    error:
      'expected names of A-Z, a-z, 0-9 and -, and none that makes the call itself, such as From or Content-Type',
  })
  .refine((map) => Object.keys(map).length <= 10, { error: 'expected at most 10 headers' });

const emergencyCalls = z.strictObject({
  dial: oneOf('number', 'urn')
    .default('number')
    .meta(
      about(
        'What is called: the number as dialled, or urn:service:sos (RFC 5031), which drachtio-server cannot send: with it the number is called all the same.',
      ),
    ),
  pidfLo: flag().default(false).meta(about("Send the desk's address along (PIDF-LO by value, RFC 6442).")),
  resourcePriority: z
    .exactOptional(
      text(
        'a namespace and a value such as esnet.1',
        /^[A-Za-z0-9!%*_+`'~-]{1,32}\.[A-Za-z0-9!%*_+`'~-]{1,32}$/,
      ),
    )
    .meta(about('Value of Resource-Priority (RFC 7135).', 'esnet.1')),
  headers: headers.default({}).meta(about('Further headers, by name.')),
});

/** How a trunk's voicemail is reached (RFC 5806, RFC 7044, RFC 4458) and asked for its lamps (RFC 3842). */
const voicemail = z.strictObject({
  number: z
    .exactOptional(text('a number of 1 to 20 digits', /^\+?\d{1,20}$/))
    .meta(about("What is dialled; absent: the company's voicemail number.", '8001')),
  identify: oneOf('diversion', 'history-info', 'request-uri', 'from')
    .default('diversion')
    .meta(about('Where it looks for the mailbox.')),
  ownMessages: oneOf('identify', 'from')
    .default('identify')
    .meta(about('How it knows whose messages are asked for.')),
  subscribe: flag().default(false).meta(about('Subscribe to the state of each mailbox.')),
});

/** A way out. */
export const trunk = z.strictObject({
  name: text('a name of a-z, 0-9 and -', /^[a-z0-9-]+$/).meta(about('Name used by sites (outboundTrunk).')),
  uri: text('a SIP URI such as sip:192.0.2.1:5060;transport=udp', TRUNK_URI).meta(about('Where calls go.')),
  addresses: z
    .array(network(), { error: 'expected a list of addresses and networks' })
    .default([])
    .meta(about('Addresses and networks its calls come from, trusted without a password.')),
  emergency: flag().default(false).meta(about('Takes emergency calls, tried in the order written.')),
  emergencyCalls: z
    .exactOptional(emergencyCalls)
    .meta(
      about(
        'How it wants emergency calls: dial (number, the default, or urn for urn:service:sos), pidfLo (true: the address of the desk goes along; name a transport in uri, since such a call is large), resourcePriority (such as esnet.1), headers (further ones, by name).',
      ),
    ),
  credentials: z
    .exactOptional(
      z.strictObject({
        username: filled().meta(about('User name for its digest challenge.')),
        password: filled().meta(about('Password for its digest challenge.')),
      }),
    )
    .meta(about('username and password for a trunk that challenges us.')),
  voicemail: z
    .exactOptional(voicemail)
    .meta(
      about(
        'It has the mailboxes; without any such trunk the first ordinary one. number (dialled; else voicemailNumber of the company), identify (where the mailbox is named: diversion, the default, RFC 5806; history-info, RFC 7044; request-uri, RFC 4458; from: the mailbox is called itself), ownMessages (from: who collects messages is known by From alone), subscribe (true: asked for the state of each mailbox, RFC 3842; its own NOTIFYs are taken in any case).',
      ),
    ),
  responseTimeout: seconds(1, 60)
    .default(4)
    .meta(about('Seconds without any response before the next trunk is tried.')),
});

export const TRUNK_EXAMPLE = [
  {
    name: 'main',
    uri: 'sip:192.0.2.1:5060;transport=udp',
    addresses: ['192.0.2.0/24'],
    voicemail: { subscribe: true },
  },
  {
    name: 'emergency',
    uri: 'sip:198.51.100.1;transport=tcp',
    addresses: ['198.51.100.1'],
    emergency: true,
    emergencyCalls: { dial: 'urn', pidfLo: true },
  },
];
