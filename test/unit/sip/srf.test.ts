import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createSrf } from '../../../src/sip/srf.ts';

/** What is added to drachtio-srf. */

interface Added {
  addDialog(dialog: EventEmitter): void;
}

function dialogOf(type: 'INVITE' | 'SUBSCRIBE'): EventEmitter {
  return Object.assign(new EventEmitter(), { dialogType: type, id: 'd1', sip: {}, local: {}, remote: {} });
}

const aMoment = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('a NOTIFY that is read in one go with the 200 to our SUBSCRIBE is heard, once', async () => {
  const dialog = dialogOf('SUBSCRIBE');
  (createSrf() as unknown as Added).addDialog(dialog);
  // As drachtio-srf does it: it answers by itself when nobody listens.
  expect(dialog.listenerCount('notify')).toBe(1);
  dialog.emit('notify', 'first');
  const heard: string[] = [];
  await Promise.resolve();
  dialog.on('notify', (one) => heard.push(one));
  await aMoment();
  dialog.emit('notify', 'second');
  expect(heard).toEqual(['first', 'second']);
  expect(dialog.listenerCount('notify')).toBe(1);
});

test('dialogs of calls are left as they are', () => {
  const dialog = dialogOf('INVITE');
  (createSrf() as unknown as Added).addDialog(dialog);
  expect(dialog.listenerCount('notify')).toBe(0);
});
