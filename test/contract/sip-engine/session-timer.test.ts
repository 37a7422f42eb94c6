import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawMessage, type RawSipPeer, reply, sdp } from '../../support/raw-sip-peer.ts';
import { Bench, EMPTY, until } from './support/bench.ts';

let bench: Bench;
afterEach(() => bench.close());

interface Up {
  alice: RawSipPeer;
  dialog: RawDialog;
  ok: RawMessage;
  ended: string[];
}

/** A call of alice with a session timer, up to the ACK. */
async function call(options: { app?: string; caller?: string; allow?: string } = {}): Promise<Up> {
  bench = await Bench.open({ fake: true });
  const ended: string[] = [];
  await bench.app((srf) => {
    srf.invite(async (req, res) => {
      const headers = options.app ? { 'Session-Expires': options.app } : {};
      const dialog = await srf.createUAS(req, res, { localSdp: sdp('engine'), headers });
      dialog.on('destroy', (_bye: unknown, reason: string) => ended.push(reason));
    });
  });
  const alice = await bench.peer();
  const dialog = new RawDialog(alice, bench.uri('bob'));
  const headers: [string, string][] = [['Supported', 'timer']];
  if (options.caller) headers.push(['Session-Expires', options.caller]);
  if (options.allow) headers.push(['Allow', options.allow]);
  const invite = dialog.send('INVITE', { body: sdp('alice'), headers });
  const ok = await alice.next(200);
  dialog.learn(ok);
  dialog.send('ACK', { of: invite });
  await until(() => bench.tables().dialogs === 1);
  await bench.pass(10, 10);
  return { alice, dialog, ok, ended };
}

/** Lets time pass until our refresh goes out, between 45 and 50 s after the last. */
async function refreshed(alice: RawSipPeer, method = 'INVITE'): Promise<RawMessage> {
  const before = alice.count(method);
  await bench.pass(44_900, 5_000);
  expect(alice.count(method)).toBe(before);
  for (let i = 0; i < 30 && alice.count(method) === before; i++) await bench.pass(200, 200);
  return alice.next(method);
}

describe('session timers', () => {
  it('are refreshed by us with our SDP, and the application hears nothing', async () => {
    const { alice, ok, ended } = await call({ caller: '100;refresher=uas' });
    expect(ok.header('Session-Expires')).toBe('100;refresher=uas');
    for (let round = 0; round < 3; round++) {
      const refresh = await refreshed(alice);
      expect(refresh.body).toBe(sdp('engine'));
      expect(refresh.header('Session-Expires')).toBe('100;refresher=uac');
      expect(refresh.header('Min-SE')).toBe('90');
      alice.send(
        reply(refresh, 200, {
          contact: `sip:alice@${alice.hostPort}`,
          headers: [['Session-Expires', '100;refresher=uac']],
          body: sdp('alice'),
        }),
      );
      expect((await alice.next('ACK')).cseq).toBe(refresh.cseq);
    }
    expect(ended).toEqual([]);
    expect(bench.tables().dialogs).toBe(1);
  });

  it('use UPDATE where the caller allows it', async () => {
    const { alice } = await call({ caller: '100;refresher=uas', allow: 'INVITE, UPDATE, BYE' });
    const refresh = await refreshed(alice, 'UPDATE');
    expect(refresh.body).toBe('');
    expect(alice.count('INVITE')).toBe(0);
  });

  it('end the call when our refresh fails', async () => {
    const { alice, ended } = await call({ caller: '100;refresher=uas' });
    alice.send(reply(await refreshed(alice), 500));
    expect((await alice.next('BYE')).header('Reason')).toContain('Session timer expired');
    await until(() => ended.length === 1);
    expect(ended).toEqual(['Session timer expired']);
    await bench.pass(64_000);
    expect(bench.tables()).toEqual(EMPTY);
  });

  it('try again after a 491', async () => {
    const { alice } = await call({ caller: '100;refresher=uas' });
    alice.send(reply(await refreshed(alice), 491));
    await alice.next('ACK');
    await bench.pass(4_000);
    await alice.next('INVITE');
    expect(alice.count('BYE')).toBe(0);
  });

  it('end the call when the caller should refresh and does not', async () => {
    const { alice, ok, ended } = await call({ app: '90' });
    expect(ok.header('Session-Expires')).toBe('90;refresher=uac');
    expect(ok.header('Require')).toBe('timer');
    await bench.pass(59_000, 5_000);
    expect(alice.count('BYE')).toBe(0);
    await bench.pass(2_000);
    await alice.next('BYE');
    await until(() => ended.length === 1);
    expect(ended).toEqual(['Session timer expired']);
  });

  it('start anew with each re-INVITE of the caller', async () => {
    const { alice, dialog } = await call({ app: '90;refresher=uac' });
    for (let round = 0; round < 3; round++) {
      await bench.pass(45_000, 5_000);
      const headers = [
        ['Supported', 'timer'],
        ['Session-Expires', '90;refresher=uac'],
      ] as const;
      const again = dialog.send('INVITE', { body: sdp('alice'), headers });
      expect((await alice.next(200)).header('Session-Expires')).toBe('90;refresher=uac');
      dialog.send('ACK', { of: again });
      await bench.pass(10, 10);
    }
    expect(alice.count('BYE')).toBe(0);
  });

  it('shorter than 90 s are refused inside a dialog', async () => {
    const { alice, dialog } = await call();
    dialog.send('INVITE', { body: sdp('alice'), headers: [['Session-Expires', '30']] });
    expect((await alice.next(422)).header('Min-SE')).toBe('90');
  });
});
