import { afterEach, describe, expect, it } from 'vitest';
import { RawDialog, type RawSipPeer, reply, sdp } from '../../support/raw-sip-peer.ts';
import { type App, type AppDialog, type AppRequest, Bench, EMPTY, until } from './support/bench.ts';

/** SIP over WebSocket (RFC 7118) through an unmodified drachtio-srf. */

let bench: Bench;
afterEach(() => bench.close());

const LISTEN = (['udp', 'tcp', 'ws'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));

/** An application that registers everybody; `seen` are its requests. */
async function registrar(
  options: Parameters<typeof Bench.open>[0] = {},
): Promise<{ srf: App; seen: AppRequest[] }> {
  bench = await Bench.open({ listen: LISTEN, ...options });
  const seen: AppRequest[] = [];
  const srf = await bench.app((one) => {
    one.register((req, res) => {
      seen.push(req);
      const granted = req.get('Expires') || '60';
      res.send(200, { headers: { Contact: `${req.get('Contact')};expires=${granted}` } });
    });
  });
  return { srf, seen };
}

interface Registered {
  phone: RawSipPeer;
  contact: string;
  /** Where the application has seen it come from, as it writes it into a route. */
  route: string;
}

async function registered(contact?: string): Promise<Registered> {
  const phone = await bench.peer('ws');
  const own = contact ?? `sip:desk@${phone.host};transport=ws`;
  new RawDialog(phone, bench.uri('x', 'ws')).send('REGISTER', { contact: own });
  await phone.next(200);
  return { phone, contact: own, route: `sip:127.0.0.1:${phone.port};transport=ws` };
}

/** A call of the application: its dialog, or the status it failed with. */
function call(srf: App, uri: string, proxy?: string): Promise<AppDialog | number> {
  const route = proxy === undefined ? {} : { proxy };
  return srf.createUAC(uri, { localSdp: sdp('engine'), ...route }).catch((error) => error.status);
}

async function answer(phone: RawSipPeer, contact: string): Promise<void> {
  phone.send(reply(await phone.next('INVITE'), 200, { tag: 'b', contact, body: sdp('bob') }));
  await phone.next('ACK');
}

describe('a phone that registered over WebSocket', () => {
  it('is seen with its protocol and address; the answer says where it came from', async () => {
    const { seen } = await registrar();
    const { phone } = await registered();
    expect(seen[0]).toMatchObject({
      protocol: 'ws',
      source_address: '127.0.0.1',
      source_port: phone.port,
    });
    const ok = phone.received[0]!;
    expect(ok.header('Via')).toContain(`SIP/2.0/WS ${phone.host};branch=`);
    expect(ok.header('Via')).toContain(`received=127.0.0.1;rport=${phone.port}`);
    expect(bench.engine.stats().registeredFlows).toBe(1);
  });

  it.each(['by its Contact', 'by the route the application remembers'])('is called %s', async (how) => {
    const { srf } = await registrar();
    const { phone, contact, route } = await registered();
    const called = call(srf, contact, how === 'by its Contact' ? undefined : route);
    const invite = await phone.next('INVITE');
    const { host, port } = bench.address('ws');
    expect(invite.uri).toBe(contact);
    expect(invite.header('Via')).toMatch(new RegExp(`^SIP/2\\.0/WS ${host}:${port};`));
    expect(invite.contact).toBe(`sip:${host}:${port};transport=ws`);
    expect(invite.headers('Record-Route')).toEqual([]);
    expect(invite.headers('Route')).toEqual([]);
    phone.send(reply(invite, 200, { tag: 'b', contact, body: sdp('bob') }));
    expect((await phone.next('ACK')).uri).toBe(contact);
    const dialog = (await called) as AppDialog;
    dialog.destroy().catch(() => undefined);
    phone.send(reply(await phone.next('BYE'), 200));
    await until(() => bench.tables().dialogs === 0);
  });

  it('calls, and talks inside its call over its connection', async () => {
    bench = await Bench.open({ listen: LISTEN });
    const dialogs: AppDialog[] = [];
    await bench.app((srf) => {
      srf.invite(async (req, res) =>
        dialogs.push(await srf.createUAS(req, res, { localSdp: sdp('engine') })),
      );
    });
    const phone = await bench.peer('ws');
    const dialog = new RawDialog(phone, bench.uri('bob', 'ws'));
    const invite = dialog.send('INVITE', { body: sdp('alice') });
    dialog.learn(await phone.next(200));
    expect(dialog.target).toContain(';transport=ws');
    dialog.send('ACK', { of: invite });
    await until(() => dialogs.length === 1);
    const info = dialogs[0]!.request({ method: 'INFO', headers: { 'Content-Type': 'a/b' }, body: 'x' });
    phone.send(reply(await phone.next('INFO'), 200));
    expect((await info).status).toBe(200);
    dialog.send('BYE');
    expect((await phone.next((one) => one.cseqMethod === 'BYE')).status).toBe(200);
    expect(bench.tables()).toMatchObject({ dialogs: 0 });
  });

  it('gets the BYE over its next connection when it registers the same Contact there', async () => {
    const { srf } = await registrar();
    const { phone, contact } = await registered();
    const called = call(srf, contact);
    await answer(phone, contact);
    const dialog = (await called) as AppDialog;
    phone.cut();
    await until(() => bench.engine.stats().connections === 0);
    const again = await registered(contact);
    dialog.destroy().catch(() => undefined);
    expect((await again.phone.next('BYE')).uri).toBe(contact);
  });
});

describe('a phone whose WebSocket is gone', () => {
  it('is 410 under a request and 430 from then on, at once and without a look-up', async () => {
    const asked: string[] = [];
    const { srf } = await registrar({
      lookup: (name) => void asked.push(name),
    });
    const { phone, contact, route } = await registered();
    const called = call(srf, contact, route);
    phone.send(reply(await phone.next('INVITE'), 180));
    phone.cut();
    expect(await called).toBe(410);
    expect(bench.engine.stats().registeredFlows).toBe(0);
    expect(await call(srf, contact, route)).toBe(430);
    expect(await call(srf, contact)).toBe(430);
    expect(asked).toEqual([]);
    expect(bench.tables()).toMatchObject({ client: 0, dialogs: 0, clientRequests: 0 });
  });

  it('does not have its calls delivered to who came from there since', async () => {
    const { srf } = await registrar();
    const one = await registered();
    const other = await registered();
    // As if the other had got the first one's port: the Contact is not the one it registered.
    expect(await call(srf, one.contact, other.route)).toBe(430);
    expect(other.phone.count('INVITE')).toBe(0);
  });

  it('is known by where it registered, although another registered the same Contact', async () => {
    const { srf } = await registrar();
    const one = await registered('sip:desk@same.invalid;transport=ws');
    const other = await registered('sip:desk@same.invalid;transport=ws');
    for (const { phone, contact, route } of [one, other]) {
      const called = call(srf, contact, route);
      phone.send(reply(await phone.next('INVITE'), 486));
      expect(await called).toBe(486);
    }
  });

  it('can be neither dialled nor called after its registration is over', async () => {
    const { srf } = await registrar({ fake: true });
    const listener = await bench.peer('tcp', false);
    expect(await call(srf, `sip:x@${listener.hostPort};transport=ws`)).toBe(430);
    const { contact, route } = await registered();
    await bench.pass(61_000, 10_000);
    expect(await call(srf, contact, route)).toBe(430);
    await bench.pass(64_000, 8_000);
    expect(bench.tables()).toEqual(EMPTY);
  });
});

describe('an engine without WebSocket', () => {
  it('says that it does not speak it', async () => {
    bench = await Bench.open({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] });
    const srf = await bench.app();
    await expect(srf.createUAC('sip:x@127.0.0.1:5999;transport=ws', { localSdp: sdp('a') })).rejects.toThrow(
      'requested protocol/transport not available',
    );
  });
});
