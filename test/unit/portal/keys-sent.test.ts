import { SessionState, Web } from 'sip.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeySender } from '../../../src/portal/phone/keys-sent.ts';

/** Keys go in the audio or by INFO, and never by both: the server takes the second for the first, told twice. */

class Connection extends EventTarget {
  connectionState = 'connecting';
  readonly sent: string[] = [];
  readonly dtmf = {
    canInsertDTMF: true,
    toneBuffer: '',
    insertDTMF: (keys: string) => void this.sent.push(keys),
  };

  getSenders(): object[] {
    return [{ track: { kind: 'audio' }, dtmf: this.dtmf }];
  }

  becomes(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

function bench(connection = new Connection()) {
  const informed: string[] = [];
  const handler = Object.create(Web.SessionDescriptionHandler.prototype, {
    peerConnection: { get: () => connection },
  });
  const info = async (options: { requestOptions: { body: { content: string } } }): Promise<void> => {
    informed.push(options.requestOptions.body.content.slice('Signal='.length)[0] ?? '');
  };
  const session = { state: SessionState.Established, sessionDescriptionHandler: handler, info };
  return { keys: new KeySender(session as never), connection, informed };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('wait for the audio, and go in it', () => {
  const { keys, connection, informed } = bench();
  keys.press('1');
  expect(connection.sent).toEqual([]);
  connection.becomes('connected');
  keys.press('2');
  vi.advanceTimersByTime(10_000);
  expect([connection.sent, informed]).toEqual([['1', '2'], []]);
});

test('once by INFO, all of them go by INFO, though the audio comes up later', () => {
  const { keys, connection, informed } = bench();
  keys.press('1');
  vi.advanceTimersByTime(4_000);
  connection.becomes('connected');
  keys.press('2');
  expect([connection.sent, informed]).toEqual([[], ['1', '2']]);
});

test('once in the audio, they wait for it while it is away', () => {
  const { keys, connection, informed } = bench();
  connection.becomes('connected');
  keys.press('1');
  connection.becomes('disconnected');
  keys.press('2');
  vi.advanceTimersByTime(10_000);
  connection.becomes('connected');
  expect([connection.sent, informed]).toEqual([['1', '2'], []]);
});

test('go by INFO where the audio has no keys', () => {
  const { keys, connection, informed } = bench();
  connection.dtmf.canInsertDTMF = false;
  connection.becomes('connected');
  keys.press('5');
  expect([connection.sent, informed]).toEqual([[], ['5']]);
});
