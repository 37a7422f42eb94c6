/**
 * What the rest of Hotdesk knows about media: prompts out, digits in. Nothing here says how.
 *
 * Collecting (time-outs, terminator, maximum, masking) sits above this interface, so call flows run against a fake.
 */

/** The path a digit came by: RFC 4733 events, SIP INFO, or tones in the audio. */
export type DigitSource = 'rtp' | 'info' | 'inband';

export interface Digit {
  /** One of `0-9 * # A-D`. Treat as secret: it may belong to a passcode. */
  readonly digit: string;
  readonly source: DigitSource;
}

/** Why no session was opened: `notAcceptable` is a 488, `noPorts` (all used, or media is starting again) a 503. */
export interface MediaRefusal {
  readonly refused: 'notAcceptable' | 'noPorts';
}

export interface OpenOptions {
  readonly callId: string;
  /** Remote SDP offer. Without it the session's `localSdp` is our offer and `renegotiate` takes the answer. */
  readonly offer?: string;
  /** Source address of the signalling (an IP address): media from it is believed. */
  readonly peer: string;
}

export interface RelayOptions {
  /** The browser is in this talk with us already. */
  readonly browser?: MediaSession | undefined;
  /** An emergency call: it gets the last ports. */
  readonly urgent?: boolean;
}

/** The two sides of a relay: a browser, and an ordinary phone or trunk. */
export type RelayEnd = 'web' | 'plain';

/**
 * Between a browser and who has no WebRTC: each of them talks to us, and the audio is passed on. Session descriptions pass through
 * here on their way, so that each side sees one it understands.
 */
export interface MediaRelay {
  /** An offer to the ordinary side, when nobody else makes one: the browser is in a talk with us already. */
  readonly plainOffer: string;
  /** What one side offers or answers, as `to` is to be told; undefined: not acceptable (488), or the relay is gone. */
  pass(kind: 'offer' | 'answer', to: RelayEnd, sdp: string): Promise<string | undefined>;
  /**
   * The latest offer to the ordinary side again, for who does not take it as it is: in the clear if it was encrypted, and the
   * other way round; undefined: there is no other.
   */
  otherwise(): Promise<string | undefined>;
  /** Where the ordinary side signals from: its audio may come from there, whatever its SDP says (NAT). */
  trust(peer: string): void;
  /** The call is up: the browser has 10 s to come, and may be away for 30 s. */
  watch(): void;
  /** The browser did not come or is gone, or media died; why, in words. Told once, never after `close`. */
  onLost: ((why: string) => void) | undefined;
  /** Media died, and its ports with them: only another relay can take its place. */
  readonly died: boolean;
  close(): Promise<void>;
}

/** Counters since start (all but `sessions` and `relays` only ever grow, and survive a restart of the worker). */
export interface MediaStats {
  readonly sessions: number;
  readonly relays: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Packets from an address that may not speak. */
  readonly sourcesRefused: number;
  /** SRTP packets that did not authenticate, or were replayed. */
  readonly srtpRefused: number;
  /** Datagrams that are not RTP, and events too short to read. */
  readonly malformed: number;
  readonly sendErrors: number;
  /** Ticks never sent because the clock was held up for longer than it catches up. */
  readonly ticksLost: number;
  readonly workerRestarts: number;
  /** How many of the restarts were because it gave no sign of life. */
  readonly workerHangs: number;
}

export interface MediaPort {
  /** Loads the prompts and opens for calls. Rejects with one clear sentence when it cannot. */
  start(): Promise<void>;
  /** Closes every session and releases every port. */
  stop(): Promise<void>;
  /** Offer in, answer out. A refusal is a value; see `isRefusal`. */
  open(options: OpenOptions): Promise<MediaSession | MediaRefusal>;
  /**
   * A relay for a browser. A refusal when browsers are not served, there are no
   * ports, or media start again.
   */
  relay(options?: RelayOptions): Promise<MediaRelay | MediaRefusal>;
  stats(): MediaStats;
  /** Whether prompts can be played and digits heard now: false while the worker starts again. */
  readonly available: boolean;
}

/** G.711 mu-law, 8 kHz, mono. */
export interface Recording {
  readonly mulaw: Uint8Array;
}

/** A prompt's id, or a recording. */
export type PlayItem = string | Recording;

export interface RecordOptions {
  /** Longest recording in ms, at most 10,000. */
  readonly maxMs: number;
  /** Ends after this much silence in ms once something was said. */
  readonly silenceMs: number;
}

export interface MediaSession {
  /** What to put in the 200: the latest answer, or our offer. The same session id throughout, version rising. */
  readonly localSdp: string;
  /**
   * Re-INVITE, UPDATE, or the answer in the ACK. Returns the local SDP now valid (what to answer with);
   * `undefined`: not acceptable (488), everything stays as it was.
   */
  renegotiate(remoteSdp: string): Promise<string | undefined>;
  /** A re-INVITE without SDP: a fresh offer of ours. The next `renegotiate` is its answer. */
  reoffer(): Promise<string>;
  /**
   * Plays prompts and recordings in order; a new play stops the old. Resolves when the last frame is sent, or with
   * `stopped`.
   */
  play(clips: readonly PlayItem[]): Promise<'done' | 'stopped'>;
  /**
   * Records what the caller says from now on: until `stopRecording`, silence after speech, `maxMs`, or the call's end.
   * Trimmed to the speech and brought to the level of the prompts; undefined: nothing was said.
   */
  record(options: RecordOptions): Promise<Recording | undefined>;
  stopRecording(): void;
  /** Barge-in: silence from the next 20 ms on. */
  stop(): void;
  /** A SIP INFO. False: unknown type or signal, answer 415. */
  info(contentType: string | undefined, body: string): boolean;
  /** Digits from before a handler is set are queued (64) and delivered when it is set. */
  onDigit: ((digit: Digit) => void) | undefined;
  /** No RTP for `silentAfterMs`; not while held. Told once per silence. */
  onSilent: (() => void) | undefined;
  /** The session ended without being asked to: the media worker died, or a browser is gone. Never called after `close`. */
  onClosed: ((why?: string) => void) | undefined;
  close(): Promise<void>;
}

export interface MediaOptions {
  /** Address to bind, literal. */
  readonly address: string;
  /** Address to put in SDP when it differs (NAT, wildcard bind). */
  readonly externalAddress?: string;
  /** UDP range, inclusive; RTP takes the even numbers, one per call. */
  readonly ports: { readonly from: number; readonly to: number };
  /**
   * `shipped` and `overlay` hold one folder per language (`<shipped>/en-GB/goodbye.wav`).
   * The overlay is laid over the shipped prompts file by file.
   */
  readonly prompts: { readonly shipped: string; readonly overlay?: string; readonly language: string };
  /** SRTP by SDES (RFC 4568). */
  readonly srtp: 'off' | 'optional' | 'required';
  readonly silentAfterMs: number;
  /** `strict`: only the SDP address or the signalling peer may send; `latch`: also the first address heard. */
  readonly latch: 'strict' | 'latch';
  /** Tones in the audio: `auto` listens for them where no telephone-event is offered. */
  readonly inband: 'auto' | 'never';
  /** Whether browsers are answered: ICE lite, DTLS-SRTP. Absent: off. */
  readonly webrtc?: 'off' | 'on';
  /** Told of what an operator should know: bad prompt files, a worker that died. Never holds digits. */
  readonly onProblem?: (text: string, data?: object) => void;
}

/** Tells a refusal from a session. */
export function isRefusal(result: object): result is MediaRefusal {
  return 'refused' in result;
}
