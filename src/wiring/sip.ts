import { randomBytes } from 'node:crypto';
import { decideRoute } from '../domain/route.ts';
import type { MediaPort } from '../media/media.ts';
import { Activity } from '../services/activity.ts';
import { createCompanyPlan } from '../services/company-plan.ts';
import { ExpiryWarnings } from '../services/expiry-warnings.ts';
import type { HotDesk } from '../services/hot-desk.ts';
import type { LocalView } from '../services/local-view.ts';
import { PhoneUpdates } from '../services/phone-updates.ts';
import { Registrar } from '../services/registrar.ts';
import { createSipApp, type SipApp } from '../sip/app.ts';
import { SipConnection } from '../sip/connection.ts';
import { CheckSync } from '../sip/phone-update.ts';
import type { Trunk } from '../sip/ports.ts';
import { createEngine, type Engine } from '../sip-engine/engine.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

/** Calls at once; beyond them new ones get 503, emergency calls excepted. */
const MAX_CALLS = 4_000;

export interface SipParts {
  readonly app: SipApp;
  readonly connection: SipConnection;
  /** Absent with a drachtio-server. */
  readonly engine: Engine | undefined;
}

interface Needs {
  readonly store: Store;
  readonly view: LocalView;
  readonly hotDesk: HotDesk;
  readonly media: MediaPort;
  readonly trunks: readonly Trunk[];
}

/** The SIP application and, unless a drachtio-server is configured, the engine under it. */
export async function startSip(running: Running, needs: Needs): Promise<SipParts> {
  const { config, log, clock, onStop } = running;
  const { sip } = config;
  const { store, view } = needs;
  const connection = new SipConnection(log);
  const registrar = await running.up(new Registrar({ store, view, log, limits: sip.registration }));
  const numberPlan = createCompanyPlan(view);
  const isEmergency = (requestUri: string): boolean =>
    decideRoute({ requestUri, caller: { kind: 'unknown' } }, view, numberPlan).kind === 'emergency';
  const engine = sip.drachtio ? undefined : await startEngine(running, isEmergency);
  const app = createSipApp({
    ...{ srf: connection.srf, view, numberPlan, registrar, clock, log },
    ...{ hotDesk: needs.hotDesk, media: needs.media, trunks: needs.trunks },
    ...{ domain: sip.domain, digests: sip.digests, nonceLifetime: sip.nonceLifetime, maxCalls: MAX_CALLS },
  });
  app.start();
  onStop(() => connection.disconnect());
  onStop(() => app.stop());
  await connection.connect(sip.drachtio ?? engine!.server);
  await running.up(
    new Activity({ store, view, clock, timers: clock, log, actor: `node:${running.node}`, calls: app.calls }),
  );
  await running.up(new ExpiryWarnings({ store, view, phones: app.warnings, timers: clock, log }));
  if (config.phones.update === 'check-sync') {
    const deps = { srf: connection.srf, view, clock, log, domain: sip.domain };
    const phone = new CheckSync({ deps, stateOf: (host) => app.warnings.stateOf(host) });
    const spacingMs = config.phones.updateSpacing * 1000;
    await running.up(new PhoneUpdates({ store, view, phone, spacingMs, clock, log }));
  }
  return { app, connection, engine: engine?.engine };
}

interface Started {
  readonly engine: Engine;
  /** Where the application finds it. */
  readonly server: { readonly host: string; readonly port: number; readonly secret: string };
}

/** The embedded engine: as far as the application can tell, a drachtio-server on loopback. */
async function startEngine(
  { config, log, up }: Running,
  isEmergency: (requestUri: string) => boolean,
): Promise<Started> {
  const secret = randomBytes(24).toString('hex');
  const engine = createEngine({
    listen: config.sip.listen,
    secret,
    // Full tables turn calls away; an emergency call never is.
    isExempt: ({ method, uri }) => method === 'INVITE' && isEmergency(uri),
    onLog: (level, message, data) => log[level](data ?? {}, message),
  });
  await up(engine);
  return { engine, server: { host: '127.0.0.1', port: engine.appPort, secret } };
}
