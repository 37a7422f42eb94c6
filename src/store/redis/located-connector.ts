import { createConnection, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import type { Address } from './asker.ts';
import type { Locator } from './topology.ts';

export interface ConnectorOptions {
  readonly locator: Locator;
  readonly tls: boolean;
  /** Told which node a connection goes to. */
  readonly onAddress: (address: Address) => void;
}

/** How long a connection may take to close properly. */
const CLOSE_MS = 200;

/** A way for the client to find its node anew at each connection it makes. */
export function locatedConnector({ locator, tls, onAddress }: ConnectorOptions) {
  return class LocatedConnector extends AbstractConnector {
    constructor() {
      super(CLOSE_MS);
    }

    async connect(): Promise<Socket | TLSSocket> {
      this.connecting = true;
      delete this.firstError;
      const address = await locator.find().catch((error: Error) => {
        this.firstError = error;
        return undefined;
      });
      this.stream = address === undefined || !this.connecting ? closedSocket() : open(address);
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };

  function open(address: Address): Socket {
    onAddress(address);
    const { host, port } = address;
    return tls ? connectTls({ host, port }) : createConnection({ host, port });
  }
}

/** To reject would end the client for good; a connection that is closed already makes it try again. */
function closedSocket(): Socket {
  return new Socket().destroy();
}
