import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedEvent {
  readonly id: string;
  /** Whether the signature is right by the secret given last. */
  readonly isGenuine: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: what a test asserts on is the test's business
  readonly message: any;
}

/** A receiver of webhooks on loopback, of one's own making as an operator's would be. */
export class WebhookReceiver {
  readonly events: ReceivedEvent[] = [];
  /** Status of the answers. */
  status = 204;
  secret = '';
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString('utf8');
      const {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature,
      } = request.headers;
      const key = Buffer.from(this.secret.replace(/^whsec_/, ''), 'base64');
      const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
      const isGenuine = signature === `v1,${mac}` && Math.abs(Date.now() / 1000 - Number(timestamp)) < 60;
      this.events.push({ id: String(id), isGenuine, message: JSON.parse(body) });
      response.writeHead(this.status).end();
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Types of the events, in order. */
  get types(): string[] {
    return this.events.map(({ message }) => message.type);
  }
}
