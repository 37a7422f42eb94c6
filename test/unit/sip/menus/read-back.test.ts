import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBackClips } from '../../../../src/sip/menus/read-back.ts';
import { host } from '../../domain/example.ts';

const PROMPTS = new URL('../../../../config/prompts/en-GB/', import.meta.url);

/** Clips in a line: letters and digits as they are, a pause as `_`. */
function heard(clips: readonly string[]): string {
  return clips.map((clip) => (clip === 'pause' ? '_' : clip.replace(/^(letter|digit)-/, ''))).join(' ');
}

describe('readBackClips', () => {
  const desk = host('d1', {
    address: {
      customerName: 'Acme',
      houseNumber: '12A',
      street: "King's Rd",
      city: 'Zürich',
      postcode: 'EC1A 1AA',
      country: 'GB',
      floor: '2',
      room: '3.14',
    },
  });

  test('number, address, floor and room, spelled', () => {
    expect(heard(readBackClips({ host: desk, callbackNumber: '+442079' }))).toBe(
      [
        'emergency-would-show call-back-number plus 4 4 2 0 7 9 _',
        'emergency-address-is a c m e _ address-number 1 2 a _ k i n g _ s _ r d _ z u r i c h _',
        'address-postcode e c 1 a _ 1 a a _ address-floor 2 _ address-room 3 _ 1 4 _ goodbye',
      ].join(' '),
    );
  });

  test('what there is not is not named', () => {
    const { floor: _f, room: _r, ...address } = desk.address;
    const clips = readBackClips({
      host: { ...desk, address: { ...address, postcode: '', state: 'NY' } },
      callbackNumber: undefined,
    });
    for (const name of ['emergency-would-show', 'address-floor', 'address-room', 'address-postcode'])
      expect(clips).not.toContain(name);
    expect(heard(clips)).toContain('z u r i c h _ n y _ goodbye');
  });

  test('an address nobody has confirmed since the phone was moved is said to be one', () => {
    const at = (verified: boolean) => ({ ...desk, location: { network: '192.0.2.0/24', verified } });
    const says = (verified: boolean) =>
      readBackClips({ host: at(verified), callbackNumber: undefined }).includes('address-not-confirmed');
    expect([says(true), says(false)]).toEqual([false, true]);
    expect(readBackClips({ host: desk, callbackNumber: undefined })).not.toContain('address-not-confirmed');
  });

  test('whatever the address: it ends, and every clip is there', () => {
    const text = fc.string({ unit: 'binary', maxLength: 100 });
    const fields = fc.record({
      ...{ customerName: text, houseNumber: text, street: text, city: text, state: text },
      ...{ postcode: text, country: fc.constant('GB'), floor: text, room: text },
    });
    fc.assert(
      fc.property(fields, text, (address, callbackNumber) => {
        const clips = readBackClips({
          host: { ...desk, address },
          callbackNumber: callbackNumber.slice(0, 20),
        });
        return clips.length < 500 && clips.every((clip) => existsSync(new URL(`${clip}.wav`, PROMPTS)));
      }),
    );
  });
});
