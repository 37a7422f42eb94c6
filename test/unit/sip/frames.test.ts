import { expect, test } from 'vitest';
import { limitFrames } from '../../../src/sip/frames.ts';

/** What is too long for the SIP server is not sent to it. */

const aMoment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function wire() {
  const sent: string[] = [];
  const heard: string[][] = [];
  const octets: number[] = [];
  const it = {
    send: (_socket: unknown, message: string) => `id-${sent.push(message)}`,
    emit: (_event: 'msg', _socket: unknown, message: string) => heard.push(message.split('|')) > 0,
  };
  limitFrames(it, 20, (length) => octets.push(length));
  return { it, sent, heard, octets };
}

test('what fits is sent as it is', async () => {
  const { it, sent, heard, octets } = wire();
  expect(it.send('socket', 'x'.repeat(20))).toBe('id-1');
  await aMoment();
  expect([sent, heard, octets]).toEqual([['x'.repeat(20)], [], []]);
});

test('what does not is answered NOK, after its sender has taken the id; octets count', async () => {
  const { it, sent, heard, octets } = wire();
  const id = it.send('socket', '£'.repeat(11));
  expect([sent, heard, octets]).toEqual([[], [], [22]]);
  await aMoment();
  expect(heard).toEqual([[expect.any(String), 'response', id, 'NOK', 'Message too long']]);
});
