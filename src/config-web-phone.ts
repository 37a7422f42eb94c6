import { z } from 'zod';
import { about, oneOf, text } from './config-words.ts';

const socketUrl = () =>
  text('a URL such as wss://sip.example.com/', (value) => {
    if (!/^wss?:\/\/[\w.:[\]-]+(\/[\w./-]*)?$/i.test(value) || !URL.canParse(value)) return false;
    const { username, password } = new URL(value);
    return username === '' && password === '';
  });

/** The phone in the browser, at /phone. */
export const webPhone = z.strictObject({
  enabled: oneOf('auto', 'always', 'never')
    .default('auto')
    .meta(about('A phone in the browser at /phone; auto: with demo: true only.')),
  url: z
    .exactOptional(socketUrl())
    .meta(
      about(
        'WebSocket it connects to, where a proxy with TLS stands in front. Absent: the first ws of sip.listen.',
        'wss://sip.example.com/',
      ),
    ),
});

interface Connectable {
  readonly demo: boolean;
  readonly webPhone: z.output<typeof webPhone>;
  readonly sip: { readonly listen: readonly { readonly protocol: string }[]; readonly drachtio?: object };
}

/** Whether it is switched on. */
export function isWebPhoneOn({
  webPhone: { enabled },
  demo,
}: Pick<Connectable, 'webPhone' | 'demo'>): boolean {
  return enabled === 'always' || (enabled === 'auto' && demo);
}

/** Whether browsers may come. Where a drachtio-server listens is not known before it is asked. */
export function expectsBrowsers(config: Connectable): boolean {
  const { webPhone, sip } = config;
  if (webPhone.url !== undefined || sip.listen.some(({ protocol }) => protocol === 'ws')) return true;
  return sip.drachtio !== undefined && isWebPhoneOn(config);
}

/** Whether it is switched on and has nothing it could connect to. A drachtio-server has addresses of its own. */
export function lacksWebSocket({
  webPhone: { enabled, url },
  sip,
}: Pick<Connectable, 'webPhone' | 'sip'>): boolean {
  const hasSocket = url !== undefined || sip.drachtio !== undefined;
  return enabled === 'always' && !hasSocket && !sip.listen.some(({ protocol }) => protocol === 'ws');
}
