import { randomBytes } from 'node:crypto';
import type { MediaPort } from '../media/media.ts';
import type { LocalView } from '../services/local-view.ts';
import { SipConnection } from '../sip/connection.ts';
import { startDemoTrunk } from '../sip/demo-trunk.ts';
import type { Trunk } from '../sip/ports.ts';
import { createEngine } from '../sip-engine/engine.ts';
import type { Running } from './running.ts';

/** A SIP engine and an application of their own, so that calls to the demonstration's far end are real ones. */
export async function startDemo(
  { config, log, clock, up, onStop }: Running,
  { view, media }: { readonly view: LocalView; readonly media: MediaPort },
): Promise<Trunk> {
  const secret = randomBytes(24).toString('hex');
  const listen = [{ protocol: 'udp' as const, ...config.demoTrunk }];
  const engine = await up(createEngine({ listen, secret }));
  const connection = new SipConnection(log);
  const placeOf = (number: string): string | undefined => demoPlaceOf(view, number);
  startDemoTrunk({ srf: connection.srf, media, clock, log, placeOf });
  onStop(() => connection.disconnect());
  await connection.connect({ host: '127.0.0.1', port: engine.appPort, secret });
  return demoTrunkAt(engine.addresses()[0]!);
}

/** The trunk whose far end is the demonstration's. */
function demoTrunkAt({ host, port }: { readonly host: string; readonly port: number }): Trunk {
  const uri = `sip:${host}:${port};transport=udp`;
  return { name: 'demo', uri, addresses: [], emergency: false, responseTimeout: 4 };
}

/** The demonstration's clip for the desk a callback number belongs to. */
function demoPlaceOf(view: LocalView, number: string): string | undefined {
  for (const host of view.directory?.hosts.values() ?? []) {
    if (host.callbackNumber === number) return `demo-${host.id}`;
  }
  return undefined;
}
