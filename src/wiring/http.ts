import { join } from 'node:path';
import { keptSecret } from '../data-folder.ts';
import { createHttp } from '../http/create-http.ts';
import type { MediaPort } from '../media/media.ts';
import { buildPortal, PORTAL_FOLDER } from '../portal/build.ts';
import type { EmergencyNotices } from '../services/emergency-notices/emergency-notices.ts';
import type { LocalView } from '../services/local-view.ts';
import type { WebPhones } from '../services/web-phones.ts';
import type { SipConnection } from '../sip/connection.ts';
import type { Store } from '../store/store.ts';
import type { Effects } from './effects.ts';
import type { Running } from './running.ts';
import type { Services } from './services.ts';

export interface HttpParts {
  readonly address: { readonly host: string; readonly port: number };
  /** Where the administrator's token is kept, unless it is configured. */
  readonly tokenFile: string | undefined;
}

interface Needs {
  readonly store: Store;
  readonly view: LocalView;
  readonly services: Services;
  readonly effects: Effects;
  readonly connection: SipConnection;
  readonly emergencies: EmergencyNotices;
  readonly media: MediaPort;
  readonly webPhones: WebPhones;
}

/** The admin API and the pages. */
export async function startHttp({ config, log, onStop, problem }: Running, needs: Needs): Promise<HttpParts> {
  const { store, view, services, effects, connection, emergencies, media } = needs;
  const { adminToken, trustedProxies, requestsPerMinute, connectionsPerSource } = config.http;
  const tokenFile = adminToken === undefined ? join(config.data, 'admin-token') : undefined;
  if ((await buildPortal()) === 'failed') problem('the pages of the portal could not be built');
  const http = createHttp({
    ...{ host: config.http.host, port: config.http.port, log },
    ...{ trustedProxies, requestsPerMinute, connectionsPerSource },
    adminToken: adminToken ?? (await keptSecret(config.data, 'admin-token', problem)),
    portalFolder: PORTAL_FOLDER,
    now: () => performance.now(),
    services: {
      ...{ view, emergencies, ...services, ...effects },
      webPhones: needs.webPhones,
      readiness: () => ({
        store: store.available && store.weakness === undefined && view.directory !== undefined,
        sip: connection.connected,
        media: media.available,
      }),
    },
  });
  onStop(() => http.stop());
  return { address: await http.start(), tokenFile };
}
