import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, reply, sdp } from '../../support/raw-sip-peer.ts';
import { type AppDialog, Bench, EMPTY, turns, until } from './support/bench.ts';
import { RawApp } from './support/raw-app.ts';

let bench: Bench;
afterEach(() => bench.close());

/** An application that answers every INVITE. */
async function answering(): Promise<AppDialog[]> {
  const dialogs: AppDialog[] = [];
  await bench.app((srf) => {
    srf.invite(async (req, res) => dialogs.push(await srf.createUAS(req, res, { localSdp: sdp('engine') })));
  });
  return dialogs;
}

async function up(user = 'bob'): Promise<RawDialog> {
  const alice = await bench.peer();
  const dialog = new RawDialog(alice, bench.uri(user));
  const invite = dialog.send('INVITE', { body: sdp('alice') });
  dialog.learn(await alice.next(200));
  dialog.send('ACK', { of: invite });
  return dialog;
}

describe('a full dialog table', () => {
  it('answers 503 with Retry-After, but not to an emergency call', async () => {
    bench = await Bench.open({
      limits: { maxDialogs: 1 },
      isExempt: (request) => request.uri.startsWith('sip:999@'),
    });
    await answering();
    await up();
    const alice = await bench.peer();
    new RawDialog(alice, bench.uri('bob')).send('INVITE', { body: sdp('alice') });
    expect((await alice.next(503)).header('Retry-After')).toBe('5');
    await up('999');
    expect(bench.tables().dialogs).toBe(2);
    expect(bench.engine.stats().refusedFull).toBe(1);
  });

  it('has room for calls however many subscriptions there are', async () => {
    bench = await Bench.open({ limits: { maxDialogs: 1, maxSubscriptions: 2 } });
    await answering();
    await bench.app((srf) =>
      srf.subscribe((_req, res) => void res.send(200, { headers: { Expires: '60' } })),
    );
    const phone = await bench.peer();
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) {
      new RawDialog(phone, bench.uri('lamp')).send('SUBSCRIBE', { headers: [['Event', 'x']] });
      statuses.push((await phone.next((one) => one.status >= 200)).status);
    }
    expect(statuses).toEqual([200, 200, 503]);
    expect(bench.engine.stats().subscriptions).toBe(2);
    const call = await up();
    call.send('BYE');
    await call.peer.next((one) => one.cseqMethod === 'BYE');
    expect(bench.engine.stats()).toMatchObject({ dialogs: 2, subscriptions: 2 });
  });

  it('refuses calls of the application too', async () => {
    bench = await Bench.open({ limits: { maxDialogs: 1 } });
    await answering();
    await up();
    const srf = await bench.app();
    const bob = await bench.peer();
    await expect(srf.createUAC(`sip:bob@${bob.hostPort}`, { localSdp: sdp('a') })).rejects.toThrow(
      'Error creating leg',
    );
  });
});

describe('a full transaction table', () => {
  it('has room for an emergency call even beyond the share of its source', async () => {
    bench = await Bench.open({
      limits: { maxServer: 1 },
      isExempt: (request) => request.uri.startsWith('sip:999@'),
      urgencyOf: () => 'claimed',
    });
    await bench.app((srf) => {
      srf.invite(async (req, res) => {
        if (req.uri.startsWith('sip:busy@')) res.send(486);
        else await srf.createUAS(req, res, { localSdp: sdp('engine') });
      });
    });
    const flood = await bench.peer();
    // A refusal nobody acknowledges fills the table, the rest uses up the share.
    new RawDialog(flood, bench.uri('busy')).send('INVITE', { body: sdp('flood') });
    await flood.next(486);
    for (let n = 0; n < 200; n++) new RawDialog(flood, bench.uri('any')).send('OPTIONS');
    await flood.next(503);
    await up('999');
  });
});

describe('where what decides who passes full tables is broken', () => {
  const broken = {
    isExempt: (): boolean => {
      throw new Error('planted: nobody can tell');
    },
  };

  it('every call is taken while there is room, and what decides is not asked', async () => {
    bench = await Bench.open(broken);
    await answering();
    await up('999');
    expect(bench.log).toEqual([]);
  });

  it.each(['maxServer', 'maxDialogs'])(
    'one that finds no room (%s) is answered 503 all the same',
    async (full) => {
      bench = await Bench.open({ ...broken, limits: { [full]: 1 } });
      await answering();
      await up();
      const alice = await bench.peer();
      new RawDialog(alice, bench.uri('999')).send('INVITE', { body: sdp('alice') });
      await alice.next(503);
      expect(bench.log.map(({ message }) => message)).toContain(
        'who may pass a full table could not be decided',
      );
    },
  );
});

describe('nothing remains', () => {
  it('when nobody answers our BYE', async () => {
    bench = await Bench.open({ fake: true });
    const dialogs = await answering();
    const { peer } = await up();
    await until(() => dialogs.length === 1);
    dialogs[0]!.destroy().catch(() => undefined);
    await peer.next('BYE');
    await bench.pass(64_000);
    expect(peer.count('BYE')).toBe(11);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('when both sides hang up at once', async () => {
    bench = await Bench.open({ fake: true });
    const dialogs = await answering();
    const dialog = await up();
    await until(() => dialogs.length === 1);
    dialogs[0]!.destroy().catch(() => undefined);
    const bye = await dialog.peer.next('BYE');
    dialog.send('BYE');
    await dialog.peer.next((one) => one.cseqMethod === 'BYE' && one.status > 0);
    dialog.peer.send(reply(bye, 481));
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('when the caller hangs up while our BYE waits for its ACK', async () => {
    bench = await Bench.open({ fake: true });
    const dialogs = await answering();
    const alice = await bench.peer();
    const dialog = new RawDialog(alice, bench.uri('bob'));
    dialog.send('INVITE', { body: sdp('alice') });
    dialog.learn(await alice.next(200));
    await until(() => dialogs.length === 1);
    dialogs[0]!.destroy().catch(() => undefined);
    await turns();
    dialog.send('BYE');
    await alice.next((one) => one.cseqMethod === 'BYE' && one.status > 0);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('when 50 calls were made, cancelled, refused, and lost at random', async () => {
    bench = await Bench.open({ fake: true, silentAfterMs: 5_000 });
    const bob = await bench.peer();
    await bench.app((srf) => {
      srf.invite((req, res) => {
        srf
          .createB2BUA(req, res, `sip:bob@${bob.hostPort}`, { localSdpB: req.body })
          .then(({ uas, uac }) => {
            uas.on('destroy', () => uac.destroy().catch(() => undefined));
            uac.on('destroy', () => uas.destroy().catch(() => undefined));
          })
          .catch(() => undefined);
      });
    });
    const alice = await bench.peer();
    let serial = 0;
    const lossy = (): boolean => serial++ % 7 === 3;
    alice.dropIncoming = lossy;
    bob.dropIncoming = lossy;
    bob.dropOutgoing = lossy;
    const answers = (async () => {
      for (let i = 0; i < 200; i++) {
        const invite = await bob.next('INVITE', 500).catch(() => undefined);
        if (!invite) return;
        const status = [200, 200, 486, 180][i % 4]!;
        bob.send(
          reply(invite, status, {
            contact: `sip:bob@${bob.hostPort}`,
            ...(status === 200 ? { body: sdp('b') } : {}),
          }),
        );
      }
    })();
    for (let i = 0; i < 50; i++) {
      const dialog = new RawDialog(alice, bench.uri('x'));
      const invite = dialog.send('INVITE', { body: sdp('alice') });
      await turns(1);
      if (i % 3 === 0) dialog.send('CANCEL', { of: invite });
      if (i % 3 === 1) dialog.send('ACK', { of: invite });
    }
    await bench.pass(5_000);
    await answers;
    // Calls nobody ended are ended by the application going away.
    await bench.pass(33_000);
    bench.engine.stats();
    await bench.hangUpAll();
    await bench.pass(33_000);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('a lost connection', () => {
  it('of the caller does not end the call: the BYE goes to its Contact', async () => {
    bench = await Bench.open();
    const dialogs = await answering();
    const phone = await bench.peer('tcp');
    const listener = await bench.peer('tcp', false);
    const dialog = new RawDialog(phone, bench.uri('bob', 'tcp'));
    const invite = dialog.send('INVITE', {
      body: sdp('alice'),
      contact: `sip:alice@${listener.hostPort};transport=tcp`,
    });
    dialog.learn(await phone.next(200));
    dialog.send('ACK', { of: invite });
    await until(() => dialogs.length === 1 && bench.engine.stats().connections === 1);
    phone.cut();
    await until(() => bench.engine.stats().connections === 0);
    dialogs[0]!.destroy().catch(() => undefined);
    expect((await listener.next('BYE')).tag('To')).toBe(dialog.localTag);
  });

  it('of the application leaves its calls to another that takes them in time', async () => {
    bench = await Bench.open({ fake: true });
    const dialogs = await answering();
    const dialog = await up();
    await until(() => dialogs.length === 1);
    await bench.hangUpAll();
    const heir = await RawApp.open(bench.engine.appPort);
    await heir.ask(`authenticate|a secret of this test|`);
    heir.send(`sip||${dialog.callId};from-tag=${dialog.localTag}\r\nINFO sip:placeholder SIP/2.0\r\n\r\n`);
    dialog.peer.send(reply(await dialog.peer.next('INFO'), 200));
    await bench.pass(5_000);
    expect(dialog.peer.count('BYE')).toBe(0);
    dialog.send('BYE');
    await heir.find((one) => one.includes('BYE sip:'));
    heir.close();
  });
});

describe('stopping the engine', () => {
  it('leaves answered calls up: which may outlive it is for the application to say', async () => {
    bench = await Bench.open();
    await answering();
    const { peer } = await up();
    await until(() => bench.tables().dialogs === 1);
    await bench.engine.stop();
    expect(peer.count('BYE')).toBe(0);
    expect(bench.tables().dialogs).toBe(0);
  });
});
