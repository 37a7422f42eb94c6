import type { Clock } from '../ports.ts';
import type { Dialog, Response } from '../srf.ts';

export type ReinviteResult =
  | {
      readonly outcome: 'accepted';
      readonly sdp: string;
      readonly ack?: ((answer: string) => void) | undefined;
    }
  | { readonly outcome: 'refused'; readonly status: number; readonly reason: string };

/**
 * Sends a re-INVITE; with an empty offer the other side makes one and `ack` takes the answer (RFC 3261 14.1).
 * `dialog.modify` is not used: after one refusal it waits for ever.
 */
export function reinvite(dialog: Dialog, offer: string): Promise<ReinviteResult> {
  return new Promise((resolve) => {
    const body = offer === '' ? { noAck: true } : { body: offer };
    const headers: Record<string, string> = offer === '' ? {} : { 'Content-Type': 'application/sdp' };
    dialog.request({ method: 'INVITE', headers, ...body }, (error, response, ack) => {
      if (error) return resolve({ outcome: 'refused', status: 481, reason: 'Dialog is gone' });
      if (response.status !== 200) return resolve(refusal(response));
      dialog.remote.sdp = response.body;
      if (offer !== '') dialog.local.sdp = offer;
      resolve({ outcome: 'accepted', sdp: response.body, ack: ack && acknowledge(dialog, ack) });
    });
  });
}

/** As `reinvite`, trying once more after a glare (491): 2.1–4 s later, as the owner of the Call-ID waits. */
export async function reinvitePatiently(
  dialog: Dialog,
  offer: string,
  clock: Clock,
): Promise<ReinviteResult> {
  const first = await reinvite(dialog, offer);
  if (first.outcome === 'accepted' || first.status !== 491) return first;
  const wait = dialog.type === 'uac' ? 2100 + Math.random() * 1900 : Math.random() * 2000;
  await new Promise<void>((resolve) => clock.setTimer(wait, resolve));
  return reinvite(dialog, offer);
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
