import type {
  Dialog,
  DialogMaker,
  Request,
  Response,
  SipFailure,
  Srf,
  UacCallbacks,
  UacOptions,
  UnacknowledgedLeg,
} from './srf.ts';

interface Invite {
  readonly srf: Pick<Srf, 'request'>;
  readonly dialogs: DialogMaker;
  readonly uri: string;
  readonly options: UacOptions;
  readonly callbacks: UacCallbacks;
}

type Ack = (options?: { body: string }) => void;

/**
 * An INVITE as `createUAC` sends it, but with any Request-URI and any body: drachtio-srf writes `sip:` before a URN,
 * and takes an INVITE with a body for one with an offer. Settles as `createUAC` does: with a dialog, with a leg still
 * to be acknowledged where no offer was made, or rejected with the far side's refusal.
 */
export function sendInvite(invite: Invite): Promise<Dialog | UnacknowledgedLeg> {
  const { srf, uri, options, callbacks } = invite;
  const { headers, localSdp, body = localSdp, proxy, auth } = options;
  return new Promise((resolve, reject) => {
    const request = {
      ...{ method: 'INVITE', headers },
      ...(body === undefined ? {} : { body }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(auth === undefined ? {} : { auth }),
    };
    srf.request(uri, request, (error, sent) => {
      callbacks.cbRequest(error, sent);
      if (error) return reject(error);
      // An UPDATE before the answer: our session is still what we offered.
      sent.on('update', (_update, response) => response.send(200, localSdp ? { body: localSdp } : {}));
      sent.on('response', (response, ack) => {
        if (response.status < 200) return proceed(callbacks, response, ack);
        try {
          resolve(answered(invite, { request: sent, response, ack }));
        } catch (failure) {
          reject(failure);
        }
      });
    });
  });
}

function proceed(callbacks: UacCallbacks, response: Response, ack: Ack): void {
  callbacks.cbProvisional(response);
  // PRACK (RFC 3262).
  if (response.has('RSeq')) ack();
}

interface Answer {
  readonly request: Request;
  readonly response: Response;
  readonly ack: Ack;
}

/** What a final response makes; throws the refusal. The server itself acknowledges what is no 2xx. */
function answered({ dialogs, options }: Invite, answer: Answer): Dialog | UnacknowledgedLeg {
  const { response, ack } = answer;
  const { status, reason } = response;
  if (status >= 300) throw { status, reason } satisfies SipFailure;
  const join = (sdp: string): Dialog => {
    const dialog = dialogs.make({ ...answer, auth: options.auth });
    dialog.local.sdp = sdp;
    return dialog;
  };
  if (options.localSdp === undefined && response.body) return lateOffer(answer, join);
  ack();
  return join(options.localSdp ?? '');
}

/** The answer to an INVITE without an offer makes one; the ACK takes ours (RFC 3261 13.2.1). */
function lateOffer({ response, ack }: Answer, join: (sdp: string) => Dialog): UnacknowledgedLeg {
  return {
    sdp: response.body,
    async ack(localSdp) {
      ack({ body: localSdp });
      return join(localSdp);
    },
    async destroy() {
      ack({ body: response.body });
      const dialog = join(response.body);
      await new Promise<void>((resolve) => dialog.destroy({ headers: {} }, () => resolve()));
    },
  };
}
