import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawMessage, type RawSipPeer, reply, unique } from '../../support/raw-sip-peer.ts';
import { type AppDialog, type AppRequest, type AppResponse, Bench, EMPTY, until } from './support/bench.ts';

let bench: Bench;
afterEach(() => bench.close());

/** A NOTIFY of the notifier for a SUBSCRIBE it got. */
function notifyFor(peer: RawSipPeer, subscribe: RawMessage, options: { seq: number; state: string }): string {
  return [
    `NOTIFY ${subscribe.contact} SIP/2.0`,
    `Via: SIP/2.0/UDP ${peer.hostPort};branch=z9hG4bK${unique('n')}`,
    'Max-Forwards: 70',
    `From: ${subscribe.header('To')};tag=notifier`,
    `To: ${subscribe.header('From')}`,
    `Call-ID: ${subscribe.header('Call-ID')}`,
    `CSeq: ${options.seq} NOTIFY`,
    `Contact: <sip:notifier@${peer.hostPort}>`,
    'Event: message-summary',
    `Subscription-State: ${options.state}`,
    'Content-Type: text/plain',
    'Content-Length: 5',
    '',
    'hello',
  ].join('\r\n');
}

describe('the application as notifier', () => {
  it('accepts, notifies, extends and ends a subscription', async () => {
    bench = await Bench.open();
    const dialogs: AppDialog[] = [];
    await bench.app((srf) => {
      srf.subscribe(async (req, res) => {
        if (req.get('To').includes(';tag=')) return res.send(481);
        const dialog = await srf.createUAS(req, res, { headers: { Expires: '60' } });
        dialog.on('subscribe', (_again: AppRequest, again: AppResponse) =>
          again.send(202, { headers: { Expires: '60' } }),
        );
        dialogs.push(dialog);
      });
    });
    const phone = await bench.peer();
    const dialog = new RawDialog(phone, bench.uri('mwi'));
    const headers = [
      ['Event', 'message-summary'],
      ['Expires', '60'],
    ] as const;
    dialog.send('SUBSCRIBE', { headers });
    const accepted = await phone.next((one) => one.cseqMethod === 'SUBSCRIBE');
    expect(accepted.status).toBe(202);
    expect(accepted.contact).toBe(`sip:127.0.0.1:${bench.address('udp').port}`);
    dialog.learn(accepted);
    await until(() => dialogs.length === 1);
    const notified = dialogs[0]!.request({
      method: 'NOTIFY',
      headers: {
        'Subscription-State': 'active;expires=60',
        Event: 'message-summary',
        'Content-Type': 'text/plain',
      },
      body: 'lamp on',
    });
    const notify = await phone.next('NOTIFY');
    expect(notify.tag('To')).toBe(dialog.localTag);
    expect(notify.body).toBe('lamp on');
    phone.send(reply(notify, 200));
    expect((await notified).status).toBe(200);
    dialog.send('SUBSCRIBE', { headers });
    expect((await phone.next((one) => one.cseqMethod === 'SUBSCRIBE')).status).toBe(202);
    expect(bench.tables().dialogs).toBe(1);
    dialogs[0]!.request({
      method: 'NOTIFY',
      headers: { 'Subscription-State': 'terminated;reason=timeout', Event: 'message-summary' },
    });
    phone.send(reply(await phone.next('NOTIFY'), 200));
    await until(() => bench.tables().dialogs === 0);
    dialog.send('SUBSCRIBE', { headers });
    expect((await phone.next((one) => one.cseqMethod === 'SUBSCRIBE')).status).toBe(481);
  });

  it('loses a subscription nobody refreshed', async () => {
    bench = await Bench.open({ fake: true });
    await bench.app((srf) => {
      srf.subscribe((req, res) => srf.createUAS(req, res, { headers: { Expires: '60' } }));
    });
    const phone = await bench.peer();
    new RawDialog(phone, bench.uri('mwi')).send('SUBSCRIBE', { headers: [['Event', 'x']] });
    await phone.next(202);
    await bench.pass(60_000, 10_000);
    expect(bench.tables().dialogs).toBe(1);
    await bench.pass(65_000, 10_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('the application as subscriber', () => {
  it('gets a NOTIFY that comes before the 2xx after it, in its dialog, and the last one ends it', async () => {
    bench = await Bench.open();
    const srf = await bench.app();
    const notifier = await bench.peer();
    const bodies: string[] = [];
    const making = srf
      .createUAC(`sip:mwi@${notifier.hostPort}`, {
        method: 'SUBSCRIBE',
        headers: { Event: 'message-summary', Expires: '60' },
      })
      .then((dialog) => {
        dialog.on('notify', (req: AppRequest, res: AppResponse) => {
          bodies.push(req.body);
          res.send(200, { headers: { 'X-Seen': '1' } });
        });
        return dialog;
      });
    const subscribe = await notifier.next('SUBSCRIBE');
    expect(subscribe.contact).not.toBe('');
    notifier.send(notifyFor(notifier, subscribe, { seq: 1, state: 'active' }));
    await until(() => bench.tables().serverRequests === 1);
    notifier.send(
      reply(subscribe, 202, {
        tag: 'notifier',
        contact: `sip:notifier@${notifier.hostPort}`,
        headers: [['Expires', '60']],
      }),
    );
    const dialog = await making;
    const early = await notifier.next(200);
    expect([early.cseqMethod, early.header('X-Seen')]).toEqual(['NOTIFY', '1']);
    expect(bodies).toEqual(['hello']);
    const again = dialog.request({
      method: 'SUBSCRIBE',
      headers: { Event: 'message-summary', Expires: '60' },
    });
    const second = await notifier.next('SUBSCRIBE');
    expect([second.uri, second.tag('To')]).toEqual([`sip:notifier@${notifier.hostPort}`, 'notifier']);
    notifier.send(reply(second, 200, { headers: [['Expires', '60']] }));
    expect((await again).status).toBe(200);
    notifier.send(notifyFor(notifier, subscribe, { seq: 2, state: 'terminated' }));
    expect((await notifier.next(200)).cseqMethod).toBe('NOTIFY');
    expect(bench.tables().dialogs).toBe(0);
  });

  it('is refused: nothing remains', async () => {
    bench = await Bench.open({ fake: true });
    const srf = await bench.app();
    const notifier = await bench.peer();
    const failed = srf
      .createUAC(`sip:mwi@${notifier.hostPort}`, { method: 'SUBSCRIBE', headers: { Event: 'x' } })
      .catch((error) => error.status);
    notifier.send(reply(await notifier.next('SUBSCRIBE'), 489));
    expect(await failed).toBe(489);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});
