import { signal } from '@preact/signals';
import type { Session } from 'sip.js';

/** The microphone, or silence in its place: a call never waits for one, and never fails without. */

export type MicrophoneState = 'unknown' | 'waiting' | 'ready' | 'none' | 'refused';
export const microphone = signal<MicrophoneState>('unknown');

/** ms a call waits for somebody to allow the microphone; after that it goes out, and the voice follows. */
const PATIENCE_MS = 2_500;
const CONSTRAINTS = { audio: { echoCancellation: true, noiseSuppression: true }, video: false } as const;

async function open(): Promise<MediaStream | undefined> {
  if (!navigator.mediaDevices) {
    microphone.value = 'none';
    return undefined;
  }
  if (microphone.value === 'unknown') microphone.value = 'waiting';
  try {
    const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
    microphone.value = 'ready';
    return stream;
  } catch (error) {
    const isRefused = error instanceof DOMException && /NotAllowed|Security/.test(error.name);
    microphone.value = isRefused ? 'refused' : 'none';
    return undefined;
  }
}

/** Asks for it before the first call, so that nobody is asked in the midst of one. */
export async function askForMicrophone(): Promise<void> {
  stop(await open());
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function patience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS));
}

export interface Voice {
  readonly stream: MediaStream;
  /** The microphone, when it comes later. */
  readonly later: Promise<MediaStreamTrack | undefined> | undefined;
}

/** What is sent in a call. `silence` makes a stream with nothing on it. */
export async function openVoice(silence: () => MediaStream): Promise<Voice> {
  const opening = open();
  const stream = await Promise.race([opening, patience()]);
  if (stream) return { stream, later: undefined };
  return { stream: silence(), later: opening.then((late) => late?.getAudioTracks()[0]) };
}

/** The voice, once somebody has allowed it; muted if what it takes the place of is. */
export async function replaceTrack(session: Session, track: MediaStreamTrack): Promise<void> {
  const { peerConnection } = (session.sessionDescriptionHandler ?? {}) as {
    peerConnection?: RTCPeerConnection;
  };
  const sender = peerConnection?.getSenders().find((one) => one.track?.kind === 'audio');
  if (!sender?.track) return track.stop();
  track.enabled = sender.track.enabled;
  await sender.replaceTrack(track);
}
