import { expect, it } from 'vitest';
import type { Core } from '../../../src/sip-engine/dialog/core.ts';
import { NameCache } from '../../../src/sip-engine/dialog/name-cache.ts';
import { largeHop, openFlow } from '../../../src/sip-engine/dialog/next-hop.ts';
import { SipMessage } from '../../../src/sip-engine/message/message.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('a large request nobody asked TCP for waits two seconds for a connection, so that it can still go by UDP', () => {
  const targets: unknown[] = [];
  const core = {
    flows: { speaksUdp: () => false },
    names: new NameCache(new FakeClock(), 1),
    transport: {
      addresses: () => [{ protocol: 'udp' }, { protocol: 'tcp' }],
      flowTo: (target: unknown) => void targets.push(target),
    },
  } as unknown as Core;
  const hop = { protocol: 'udp', host: '192.0.2.1', port: 5060, named: false } as const;
  const large = SipMessage.request('INVITE', 'sip:999@192.0.2.1').add('X-Long', 'x'.repeat(1_400));
  expect(largeHop(core, { ...hop, named: true }, large)).toBeUndefined();
  const tcp = largeHop(core, hop, large);
  if (tcp) openFlow(core, tcp, () => undefined);
  expect(targets).toMatchObject([{ protocol: 'tcp', host: '192.0.2.1', port: 5060, connectMs: 2_000 }]);
});
