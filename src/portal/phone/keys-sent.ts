import { type Session, SessionState, Web } from 'sip.js';

const TONE_MS = 100;
const GAP_MS = 70;
/** ms after the answer until keys go by INFO, if no audio has come up by then. */
const PATIENCE_MS = 4_000;
/** Keys kept until the call is answered. */
const MOST_WAITING = 64;

/** Sends pressed keys in the audio (RFC 4733), or by INFO where there is none. Each goes one way only. */
export class KeySender {
  readonly #session: Session;
  readonly #waiting: string[] = [];
  #patience: ReturnType<typeof setTimeout> | undefined;
  #isImpatient = false;

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
    if (connection && !isUp(connection) && !this.#isImpatient) return this.#waitFor(connection);
    for (const key of this.#waiting.splice(0)) {
      if (!connection || !isUp(connection) || !sendTone(connection, key)) this.#inform(key);
    }
  }

  #connection(): RTCPeerConnection | undefined {
    const { sessionDescriptionHandler: handler } = this.#session;
    return handler instanceof Web.SessionDescriptionHandler ? handler.peerConnection : undefined;
  }

  #waitFor(connection: RTCPeerConnection): void {
    if (this.#patience !== undefined) return;
    connection.addEventListener('connectionstatechange', () => this.flush());
    this.#patience = setTimeout(() => {
      this.#isImpatient = true;
      this.flush();
    }, PATIENCE_MS);
  }

  #inform(key: string): void {
    const content = `Signal=${key}\r\nDuration=${TONE_MS}\r\n`;
    const body = { contentDisposition: 'render', contentType: 'application/dtmf-relay', content };
    this.#session.info({ requestOptions: { body } }).catch(() => undefined);
  }
}

function isUp({ connectionState }: RTCPeerConnection): boolean {
  return connectionState === 'connected';
}

/** After the tones that still sound. False: there is no telephone-event in this call. */
function sendTone(connection: RTCPeerConnection, key: string): boolean {
  const dtmf = connection.getSenders().find(({ track }) => track?.kind === 'audio')?.dtmf;
  if (!dtmf?.canInsertDTMF) return false;
  dtmf.insertDTMF(dtmf.toneBuffer + key, TONE_MS, GAP_MS);
  return true;
}
