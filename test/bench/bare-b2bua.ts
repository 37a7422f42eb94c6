import { createRequire } from 'node:module';
import { createEngine } from '../../src/sip-engine/engine.ts';

/** The yardstick: drachtio-srf's own createB2BUA on our engine, one target, no rules. `bare-b2bua.ts PORT TARGET` */
const [port = '', target = ''] = process.argv.slice(2);
const secret = 'bench';
const engine = createEngine({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: Number(port) }], secret });
await engine.start();
const Srf = createRequire(import.meta.url)('drachtio-srf');
const srf = new Srf();
// biome-ignore lint/suspicious/noExplicitAny: the bare application is written as drachtio-srf's own examples are
srf.invite((request: any, response: any) => {
  srf
    .createB2BUA(request, response, target, {})
    // biome-ignore lint/suspicious/noExplicitAny: as above
    .then(({ uas, uac }: any) => {
      uas.on('destroy', () => uac.destroy());
      uac.on('destroy', () => uas.destroy());
    })
    .catch(() => undefined);
});
srf.connect({ host: '127.0.0.1', port: engine.appPort, secret });
srf.on('connect', () => process.stdout.write('ready\n'));
process.once('SIGTERM', () => process.exit(0));
