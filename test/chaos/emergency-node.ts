import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { createServer } from '../../src/server.ts';
import { Activity } from '../../src/services/activity.ts';
import { DiskSnapshot } from '../../src/services/disk-snapshot.ts';
import { HotDesk } from '../../src/services/hot-desk.ts';
import { PhoneNetworks } from '../../src/services/phone-networks.ts';
import { Registrar } from '../../src/services/registrar.ts';
import { Identifier } from '../../src/sip/identify.ts';
import { TrunkProbes } from '../../src/sip/trunk-health.ts';

/**
 * One Hotdesk in a process of its own: `emergency-node.ts CONFIG_AS_JSON [sabotage]`. Told `sabotage` on standard input, it
 * lets everything throw that an emergency call does not need.
 */
const loaded = loadConfig({}, process.argv[2]);
if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
const server = createServer({ config: loaded.config, logger: createLogger(loaded.config.log) });
process.on('unhandledRejection', () => undefined);

function fail(): never {
  throw new Error('sabotage');
}

/** A class whose methods can be replaced. */
// biome-ignore lint/suspicious/noExplicitAny: any method of any class
type Sabotaged = { readonly prototype: any };

const VICTIMS: readonly (readonly [Sabotaged, readonly string[]])[] = [
  [HotDesk, ['logIn', 'logOut']],
  [Registrar, ['register']],
  [Identifier, ['identify', 'authenticate']],
  [PhoneNetworks, ['includes', 'hasPhone', 'registered', 'seen']],
  [DiskSnapshot, ['noteChange']],
  [TrunkProbes, ['isDown']],
  [Activity, ['start']],
];

process.stdin.on('data', (data) => {
  if (!data.toString().includes('sabotage')) return;
  for (const [victim, methods] of VICTIMS) for (const name of methods) victim.prototype[name] = fail;
  process.stdout.write('sabotaged\n');
});

process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
await server.start();
const [udp] = server.addresses().sip;
process.stdout.write(`ready ${udp?.port}\n`);
