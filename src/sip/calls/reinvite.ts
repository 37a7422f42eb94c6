import type { Clock } from '../ports.ts';
import type { Dialog, Response } from '../srf.ts';
import type { WebSide } from './web-side.ts';

export type ReinviteResult =
  | {
      readonly outcome: 'accepted';
      readonly sdp: string;
      readonly ack?: ((answer: string) => void) | undefined;
    }
  | { readonly outcome: 'refused'; readonly status: number; readonly reason: string };

/** One side of a call as far as its session goes. */
export interface SessionSide {
  readonly dialog: Dialog;
  /** Set when a browser is there, and seen through a relay. */
  readonly web?: WebSide | undefined;
  /** What the far end last offered or answered, and both sides took. */
  remoteSdp: string;
  /** An offer is under way: one at a time (RFC 3264 4). */
  negotiating: boolean;
}

const UNREADABLE = { outcome: 'refused', status: 488, reason: 'Not Acceptable Here' } as const;
const GLARE = { outcome: 'refused', status: 491, reason: 'Request Pending' } as const;

/**
 * Sends a re-INVITE; with an empty offer the other side makes one and `ack` takes the answer (RFC 3261 14.1).
 * `dialog.modify` is not used: after one refusal it waits for ever.
 */
export async function reinvite(side: SessionSide, offer: string): Promise<ReinviteResult> {
  const { web } = side;
  if (!web) return send(side, offer);
  const told = offer === '' ? '' : await web.told('offer', offer);
  if (told === undefined) return UNREADABLE;
  const result = await send(side, told);
  if (result.outcome === 'refused') return result;
  const sdp = await web.heard(offer === '' ? 'offer' : 'answer', result.sdp);
  if (sdp === undefined) return UNREADABLE;
  side.remoteSdp = sdp;
  const { ack } = result;
  const answer = async (text: string): Promise<void> => ack?.((await web.told('answer', text)) ?? text);
  return { outcome: 'accepted', sdp, ack: ack && ((text) => void answer(text)) };
}

function send(side: SessionSide, offer: string): Promise<ReinviteResult> {
  const { dialog } = side;
  return new Promise((resolve) => {
    const body = offer === '' ? { noAck: true } : { body: offer };
    const headers: Record<string, string> = offer === '' ? {} : { 'Content-Type': 'application/sdp' };
    dialog.request({ method: 'INVITE', headers, ...body }, (error, response, ack) => {
      if (error) return resolve({ outcome: 'refused', status: 481, reason: 'Dialog is gone' });
      if (response.status < 200) return;
      if (response.status !== 200) return resolve(refusal(response));
      side.remoteSdp = response.body ?? '';
      dialog.remote.sdp = side.remoteSdp;
      if (offer !== '') dialog.local.sdp = offer;
      resolve({ outcome: 'accepted', sdp: side.remoteSdp, ack: ack && acknowledge(dialog, ack) });
    });
  });
}

/** As `reinvite`, trying once more after a glare (491): 2.1–4 s later, as the owner of the Call-ID waits. */
export async function reinvitePatiently(
  side: SessionSide,
  offer: string,
  clock: Clock,
): Promise<ReinviteResult> {
  const first = await reinviteAlone(side, offer);
  if (first.outcome === 'accepted' || first.status !== 491) return first;
  const wait = side.dialog.type === 'uac' ? 2100 + Math.random() * 1900 : Math.random() * 2000;
  await new Promise<void>((resolve) => clock.setTimer(wait, resolve));
  return reinviteAlone(side, offer);
}

async function reinviteAlone(side: SessionSide, offer: string): Promise<ReinviteResult> {
  if (side.negotiating) return GLARE;
  side.negotiating = true;
  const result = await reinvite(side, offer);
  side.negotiating = false;
  return result;
}

function acknowledge(dialog: Dialog, ack: (options: { body: string }) => void): (answer: string) => void {
  return (answer) => {
    dialog.local.sdp = answer;
    ack({ body: answer });
  };
}

function refusal(response: Response): ReinviteResult {
  return { outcome: 'refused', status: response.status, reason: response.reason };
}
