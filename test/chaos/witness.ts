import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaceOutcome } from '../../src/services/ports.ts';
import { signatureOf } from '../../src/services/webhooks/signature.ts';
import type { Chance } from './chance.ts';

/** Receives the webhook, as a customer's server does, and notes what came. */
export interface Receiver {
  readonly url: string;
  /** How often each log position was delivered. */
  readonly deliveries: ReadonlyMap<number, number>;
  readonly duplicates: number;
  /** Highest position delivered. */
  readonly last: number;
  /** What must not happen: a bad signature, a position before the one that comes first. */
  readonly offences: readonly string[];
  /** From now on every answer is a good one. */
  calm(): void;
  stop(): Promise<void>;
}

const MOST_OFFENCES = 50;
/** Some answers are an error, so that the sender has to try again. */
const FAILURE = 0.01;

/** Listens on loopback. */
export async function startReceiver(secret: string, chance: Chance): Promise<Receiver> {
  const deliveries = new Map<number, number>();
  const offences: string[] = [];
  let [last, duplicates, isCalm] = [0, 0, false];

  function offend(text: string): void {
    if (offences.length < MOST_OFFENCES) offences.push(text);
  }

  function take(body: string, headers: IncomingMessage['headers']): void {
    const id = String(headers['webhook-id']);
    const timestamp = Number(headers['webhook-timestamp']);
    if (headers['webhook-signature'] !== signatureOf({ id, timestamp, body }, secret)) {
      return offend(`bad signature of ${id}`);
    }
    const { seq } = JSON.parse(body) as { seq: number };
    const before = deliveries.get(seq) ?? 0;
    deliveries.set(seq, before + 1);
    if (before > 0) duplicates += 1;
    else if (last > 0 && seq !== last + 1) offend(`${seq} came after ${last}`);
    last = Math.max(last, seq);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      // A receiver that fails may have taken the event all the same.
      const fails = !isCalm && chance.happens(FAILURE);
      if (!fails || chance.happens(0.3)) take(Buffer.concat(parts).toString('utf8'), request.headers);
      response.writeHead(fails ? 503 : 204).end();
    });
    request.on('error', () => undefined);
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}/hook`, deliveries, offences },
    calm() {
      isCalm = true;
    },
    get last() {
      return last;
    },
    get duplicates() {
      return duplicates;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The phones' displays: each shows what it was told last, unless that is older than what it shows. */
export interface Phones {
  readonly updates: number;
  readonly stale: number;
  /** Updates that did not arrive, or whose answer did not. */
  readonly failures: number;
  show(face: { host: string; seq: number; guest: string | undefined }): FaceOutcome;
  guestOn(host: string): string | undefined;
}

const PHONE_FAILURE = 0.02;

export function createPhones(chance: Chance): Phones {
  const faces = new Map<string, { readonly seq: number; readonly guest: string | undefined }>();
  let [updates, stale, failures] = [0, 0, 0];
  return {
    get updates() {
      return updates;
    },
    get stale() {
      return stale;
    },
    get failures() {
      return failures;
    },
    show({ host, seq, guest }) {
      updates += 1;
      const fails = chance.happens(PHONE_FAILURE);
      if (fails) failures += 1;
      if (fails && chance.happens(0.5)) return 'failed';
      if (seq < (faces.get(host)?.seq ?? 0)) stale += 1;
      else faces.set(host, { seq, guest });
      return fails ? 'failed' : 'told';
    },
    guestOn: (host) => faces.get(host)?.guest,
  };
}
