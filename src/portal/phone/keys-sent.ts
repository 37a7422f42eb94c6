import { type Session, SessionState, Web } from 'sip.js';

const TONE_MS = 100;
const GAP_MS = 70;
/** ms after the answer until keys go by INFO, if no audio has come up by then. */
const PATIENCE_MS = 4_000;
/** Keys kept until the call is answered. */
const MOST_WAITING = 64;

interface Dtmf {
  readonly canInsertDTMF: boolean;
  readonly toneBuffer: string;
  insertDTMF(tones: string, duration: number, gap: number): void;
}

/** What is used of an RTCPeerConnection. */
interface Connection {
  readonly connectionState: string;
  addEventListener(event: 'connectionstatechange', listener: () => void): void;
  getSenders(): readonly {
    readonly track: { readonly kind: string } | null;
    readonly dtmf: Dtmf | null;
  }[];
}

/**
 * Sends pressed keys in the audio (RFC 4733), or by INFO where there is none. All of a call's keys go the same way: who gets
 * them by two takes them for the same keys, told twice.
 */
export class KeySender {
  readonly #session: Session;
  readonly #waiting: string[] = [];
  #patience: ReturnType<typeof setTimeout> | undefined;
  #isListening = false;
  #way: 'audio' | 'info' | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  press(key: string): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(key);
    this.flush();
  }

  stop(): void {
    clearTimeout(this.#patience);
    this.#waiting.length = 0;
  }

  /** Sends what waits, as soon as there is a way. */
  flush(): void {
    if (this.#session.state !== SessionState.Established) return;
    const connection = this.#connection();
    if (connection && this.#way !== 'info') {
      if (!isUp(connection)) return this.#waitFor(connection);
      if (takesTones(connection)) this.#way = 'audio';
    }
    this.#way ??= 'info';
    for (const key of this.#waiting.splice(0)) {
      if (this.#way === 'info') this.#inform(key);
      else if (connection) sendTone(connection, key);
    }
  }

  #connection(): Connection | undefined {
    const { sessionDescriptionHandler: handler } = this.#session;
    return handler instanceof Web.SessionDescriptionHandler ? handler.peerConnection : undefined;
  }

  #waitFor(connection: Connection): void {
    if (this.#isListening) return;
    this.#isListening = true;
    connection.addEventListener('connectionstatechange', () => this.flush());
    this.#patience = setTimeout(() => {
      this.#way ??= 'info';
      this.flush();
    }, PATIENCE_MS);
  }

  #inform(key: string): void {
    const content = `Signal=${key}\r\nDuration=${TONE_MS}\r\n`;
    const body = { contentDisposition: 'render', contentType: 'application/dtmf-relay', content };
    this.#session.info({ requestOptions: { body } }).catch(() => undefined);
  }
}

function isUp({ connectionState }: Connection): boolean {
  return connectionState === 'connected';
}

function dtmfOf(connection: Connection): Dtmf | undefined {
  return connection.getSenders().find(({ track }) => track?.kind === 'audio')?.dtmf ?? undefined;
}

/** Whether there is telephone-event in this call. */
function takesTones(connection: Connection): boolean {
  return dtmfOf(connection)?.canInsertDTMF === true;
}

/** After the tones that still sound. */
function sendTone(connection: Connection, key: string): void {
  const dtmf = dtmfOf(connection);
  if (dtmf?.canInsertDTMF) dtmf.insertDTMF(dtmf.toneBuffer + key, TONE_MS, GAP_MS);
}
