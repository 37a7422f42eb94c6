import { SipMessage } from '../../src/sip-engine/message/message.ts';
import type {
  ServerTransaction,
  TransactionOptions,
} from '../../src/sip-engine/transaction/transaction-layer.ts';
import { TransactionLayer } from '../../src/sip-engine/transaction/transaction-layer.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeFlow, FakeTransport } from './fake-flow.ts';

/** A transaction layer between a fake transport and a user that writes down what it hears. */
export function transactionBench(options: Partial<TransactionOptions> = {}) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  let count = 0;
  const random = () => `r${++count}`;
  const layer = new TransactionLayer({ clock, transport, random, ...options });
  const heard: string[] = [];
  const servers: ServerTransaction[] = [];
  layer.user = {
    onRequest(transaction) {
      servers.push(transaction);
      heard.push(transaction.request.method);
    },
    onCancel: (_cancel, invite) => void heard.push(`CANCEL of ${invite.id}`),
    onAck: (ack) => void heard.push(`ACK ${ack.cseq?.seq}`),
    onStrayResponse: (response) => void heard.push(`stray ${response.status}`),
  };
  /** What the user heard since the last call. */
  const take = () => heard.splice(0);
  const last = () => servers.at(-1) as ServerTransaction;
  return { clock, transport, layer, take, last, servers };
}

export interface RequestShape {
  branch?: string | undefined;
  sentBy?: string;
  callId?: string;
  seq?: number;
  toTag?: string;
  fromTag?: string;
}

/** A request as a peer sends it. */
export function peerRequest(method: string, shape: RequestShape = {}): SipMessage {
  const { sentBy = '192.0.2.99', callId = 'call@peer', seq = 1, toTag, fromTag = 'peer' } = shape;
  const branch = 'branch' in shape ? shape.branch : 'z9hG4bKpeer';
  return SipMessage.request(method, 'sip:bob@192.0.2.1')
    .add('Via', `SIP/2.0/UDP ${sentBy}${branch === undefined ? '' : `;branch=${branch}`}`)
    .add('Max-Forwards', '70')
    .add('From', `<sip:a@peer>${fromTag === '' ? '' : `;tag=${fromTag}`}`)
    .add('To', `<sip:bob@192.0.2.1>${toTag === undefined ? '' : `;tag=${toTag}`}`)
    .add('Call-ID', callId)
    .add('CSeq', `${seq} ${method}`);
}

/** A response of ours to a request, with our tag. */
export function answer(transaction: ServerTransaction, status: number): SipMessage {
  const response = SipMessage.response(transaction.request, status);
  if (response.to?.tag === undefined) response.set('To', `${response.get('To')};tag=ours`);
  return response;
}

/** A response of the peer to a request of ours. */
export function peerAnswer(request: SipMessage, status: number, tag = 'theirs'): SipMessage {
  const response = SipMessage.response(request, status);
  if (status > 100) response.set('To', `${response.get('To')};tag=${tag}`);
  return response;
}

export { FakeFlow };
