import { randomBytes } from 'node:crypto';
import type { MediaPort } from '../media/media.ts';
import { Activity } from '../services/activity.ts';
import { createCompanyPlan } from '../services/company-plan.ts';
import type { EmergencyNotices } from '../services/emergency-notices/emergency-notices.ts';
import { ExpiryWarnings } from '../services/expiry-warnings.ts';
import type { GuestKeys } from '../services/guest-keys.ts';
import type { HotDesk } from '../services/hot-desk.ts';
import type { LocalView } from '../services/local-view.ts';
import type { PhoneNetworks } from '../services/phone-networks.ts';
import { PhoneUpdates } from '../services/phone-updates.ts';
import { RecordedNames } from '../services/recorded-names.ts';
import type { Registrar } from '../services/registrar.ts';
import type { SharedState } from '../services/shared-state.ts';
import { createSipApp, type SipApp } from '../sip/app.ts';
import { SipConnection } from '../sip/connection.ts';
import { LONGEST_FOR_DRACHTIO } from '../sip/frames.ts';
import { CheckSync } from '../sip/phone-update.ts';
import type { Trunk } from '../sip/ports.ts';
import { TextMessages } from '../sip/text-messages.ts';
import { TrunkProbes } from '../sip/trunk-health.ts';
import { createEngine, type Engine } from '../sip-engine/engine.ts';
import type { Store } from '../store/store.ts';
import { startDialogPackage } from './dialog.ts';
import { startEmergencyDesk, startEmergencyNotices, tellingNetworks } from './emergency.ts';
import { createHoteling, eventDependencies } from './events.ts';
import { createMailboxes } from './mailboxes.ts';
import { createPrecedence, type Precedence } from './precedence.ts';
import type { Running } from './running.ts';

/** Calls at once; beyond them new ones get 503, emergency calls excepted. */
const MAX_CALLS = 4_000;

export interface SipParts {
  readonly app: SipApp;
  readonly connection: SipConnection;
  /** Who is told of emergency calls. */
  readonly notices: EmergencyNotices;
  /** Absent with a drachtio-server. */
  readonly engine: Engine | undefined;
}

interface Needs {
  readonly store: Store;
  readonly view: LocalView;
  readonly shared: SharedState;
  readonly networks: PhoneNetworks;
  readonly hotDesk: HotDesk;
  readonly guestKeys: GuestKeys;
  readonly registrar: Registrar;
  readonly media: MediaPort;
  readonly trunks: readonly Trunk[];
}

/** The SIP application and, unless a drachtio-server is configured, the engine under it. */
export async function startSip(running: Running, needs: Needs): Promise<SipParts> {
  const { config, log, clock, onStop } = running;
  const { sip } = config;
  const { store, view, networks } = needs;
  const connection = new SipConnection(log);
  const numberPlan = createCompanyPlan(view);
  const precedence = createPrecedence({ view, numberPlan, networks, trunks: needs.trunks });
  const engine = sip.drachtio ? undefined : await startEngine(running, precedence);
  const emergencies = await startEmergencyDesk(running, { store, view });
  const phones = new TextMessages({ srf: connection.srf, view, clock, log, domain: sip.domain });
  const notices = await startEmergencyNotices(running, { store, view, phones, desk: emergencies });
  const probes = new TrunkProbes({
    ...{ srf: connection.srf, trunks: needs.trunks, clock, log, domain: sip.domain },
    everyMs: sip.trunkProbe * 1000,
  });
  const voicemail = createMailboxes(running, { ...needs, srf: connection.srf });
  const names = await running.up(new RecordedNames({ store, view, log }));
  const dialog = await startDialogPackage(running, { ...needs, numberPlan });
  const app = createSipApp({
    ...{ emergencies, lines: dialog.lines },
    events: eventDependencies(running, needs, [
      ...voicemail.packages,
      createHoteling(running, needs),
      dialog.pack,
    ]),
    mailboxes: voicemail.mailboxes,
    trunkHealth: probes,
    ...{ srf: connection.srf, view, numberPlan, clock, log },
    ...{ registrar: tellingNetworks(needs.registrar, networks), phoneSources: networks },
    emergencyCallsPerSource: sip.emergencyCallsPerSource,
    ...{ hotDesk: needs.hotDesk, names },
    ...{ media: needs.media, trunks: needs.trunks },
    ...{ domain: sip.domain, digests: sip.digests, nonceLifetime: sip.nonceLifetime, maxCalls: MAX_CALLS },
  });
  app.start();
  onStop(() => connection.disconnect());
  onStop(() => app.stop());
  await connection.connect(
    sip.drachtio ? { ...sip.drachtio, longest: LONGEST_FOR_DRACHTIO } : engine!.server,
  );
  await running.up(app.notifier);
  await voicemail.start();
  await running.up(probes);
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
  return { app, connection, notices, engine: engine?.engine };
}

interface Started {
  readonly engine: Engine;
  /** Where the application finds it. */
  readonly server: { readonly host: string; readonly port: number; readonly secret: string };
}

/** The embedded engine: as far as the application can tell, a drachtio-server on loopback. */
async function startEngine({ config, log, up }: Running, precedence: Precedence): Promise<Started> {
  const secret = randomBytes(24).toString('hex');
  const engine = createEngine({
    listen: config.sip.listen,
    secret,
    ...precedence,
    onLog: (level, message, data) => log[level](data ?? {}, message),
  });
  await up(engine);
  return { engine, server: { host: '127.0.0.1', port: engine.appPort, secret } };
}
