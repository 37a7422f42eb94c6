import { type Body, type BodyPart, multipart } from '../body.ts';
import type { Clock, Timer } from '../ports.ts';
import { reasonHeader } from '../reasons.ts';
import {
  type Dialog,
  type Headers,
  isUnacknowledged,
  type Request,
  type Response,
  type SipFailure,
  type Srf,
  type UnacknowledgedLeg,
} from '../srf.ts';
import type { Party } from './leg.ts';
import { isWeb, type WebSide } from './web-side.ts';

/** One place to send an INVITE to. */
export interface Target {
  readonly uri: string;
  /** Next hop when it is not the URI: the flow a phone registered over, or the Path. */
  readonly proxy?: string | undefined;
  readonly headers: Headers;
  /** The same place by another name, for a server that will not send to this one: drachtio-server knows no URN. */
  readonly plainly?: { readonly uri: string; readonly headers: Headers } | undefined;
  /** Goes beside the offer, with the headers that speak of it. */
  readonly enclosed?: { readonly part: BodyPart; readonly headers: Headers } | undefined;
  readonly auth?: { readonly username: string; readonly password: string } | undefined;
  /** ms without any answer (a 100 is none: it is never seen) after which it counts as failed; none: Timer B. */
  readonly answerWithinMs?: number | undefined;
  /** ms until it rings beside those before, sooner when none of them rings any more; absent: at once. */
  readonly joinsAfterMs?: number | undefined;
  readonly party: Party;
  /** The same phone by another of its flows, for when this one has failed: never both at once (RFC 5626 5.3). */
  readonly otherFlow?: Target | undefined;
  /** It came over WebSocket: a browser, which takes no offer but one of WebRTC. */
  readonly browser?: boolean;
}

export interface ForkRequest {
  /** Tried at once, or as each says; the first answer wins. */
  readonly targets: readonly Target[];
  /** SDP offer; `''`: none, then the winner's 200 carries the offer. */
  readonly offer: string;
  /** Ends the attempt: the caller gave up, a time-out, or stop. Its reason, a string, is sent as Reason header. */
  readonly signal: AbortSignal;
  /** Opens a relay for a target that needs one; absent, or without one to be had: the offer goes as it is. */
  readonly openWeb?: () => Promise<WebSide | undefined>;
  /** A 6xx of one target leaves the others ringing. */
  readonly undeterred?: boolean;
  onProvisional(response: Response, only: boolean, target: Target): void;
  /** One of several will not answer. */
  onFailed?(target: Target): void;
}

export type ForkResult =
  | {
      readonly outcome: 'answered';
      readonly leg: Dialog | UnacknowledgedLeg;
      readonly target: Target;
      /** The relay before who answered. */
      readonly web?: WebSide | undefined;
    }
  | { readonly outcome: 'failed'; readonly status: number; readonly reason: string }
  | { readonly outcome: 'aborted' };

const COMPLETED_ELSEWHERE = reasonHeader(200, 'Call completed elsewhere');

/** A drachtio-server stalls for good on a message of 12 KB; what is enclosed stays behind before the offer does. */
const MAX_BODY = 8_000;

/** ms without any answer after which a phone is not waited for, where there is another way or somebody has said no. */
const SIGN_OF_LIFE = 4_000;

/**
 * Rings all targets together. The first 200 wins, the others are cancelled with a Reason; a 200 that crosses its
 * CANCEL is ended with BYE. When all fail the best answer by RFC 3261 16.7 step 6 is returned.
 */
export function fork(srf: Srf, clock: Clock, request: ForkRequest): Promise<ForkResult> {
  if (request.signal.aborted) return Promise.resolve({ outcome: 'aborted' });
  return new Promise((resolve) => new Fork({ srf, clock }, request, resolve).start());
}

/** How a branch is rung: the offer as it is told, at this place where that is not the target as it stands. */
interface Ring {
  readonly offer: string;
  readonly at?: Target;
}

interface Branch {
  readonly target: Target;
  /** It joins later. */
  waits: boolean;
  /** When it was rung, ms since 1970. */
  rungAt: number | undefined;
  request: Request | undefined;
  timer: Timer | undefined;
  /** It has given a sign of life. */
  heard: boolean;
  web: WebSide | undefined;
  /** Reason header of its CANCEL; undefined while it is wanted. */
  cancelReason: string | undefined;
  done: boolean;
}

class Fork {
  readonly #srf: Srf;
  readonly #clock: Clock;
  readonly #request: ForkRequest;
  readonly #resolve: (result: ForkResult) => void;
  readonly #branches: Branch[];
  readonly #failures: { status: number; reason: string }[] = [];
  readonly #onAbort = (): void => this.#abort();
  #settled = false;
  #isRefused = false;

  constructor(
    { srf, clock }: { readonly srf: Srf; readonly clock: Clock },
    request: ForkRequest,
    resolve: (result: ForkResult) => void,
  ) {
    this.#srf = srf;
    this.#clock = clock;
    this.#request = request;
    this.#resolve = resolve;
    this.#branches = request.targets.map(branchTo);
  }

  start(): void {
    this.#request.signal.addEventListener('abort', this.#onAbort, { once: true });
    for (const branch of [...this.#branches]) {
      const { joinsAfterMs = 0 } = branch.target;
      if (branch.waits) branch.timer = this.#clock.setTimer(joinsAfterMs, () => this.#begin(branch));
      else this.#begin(branch);
    }
    this.#goOn();
  }

  /** Over when nobody is left; who waits to join need not wait for nobody. */
  #goOn(): void {
    if (this.#branches.every(({ done }) => done))
      return this.#settle({ outcome: 'failed', ...bestOf(this.#failures) });
    if (!this.#branches.every(({ done, waits }) => done || waits)) return;
    const waiting = this.#branches.filter(({ waits }) => waits);
    const soonest = Math.min(...waiting.map(({ target }) => target.joinsAfterMs ?? 0));
    for (const branch of waiting) if (branch.target.joinsAfterMs === soonest) this.#begin(branch);
  }

  #begin(branch: Branch): void {
    branch.waits = false;
    branch.timer?.cancel();
    const { offer, openWeb } = this.#request;
    if (!branch.target.browser || !openWeb || offer === '' || isWeb(offer)) {
      return this.#ring(branch, { offer });
    }
    openWeb()
      .then(async (web) => {
        const told = await web?.told('offer', offer);
        if (told === undefined) web?.drop();
        else branch.web = web;
        return told ?? offer;
      })
      .then((told) => {
        // Nobody wants it any more; it was never sent.
        if (branch.cancelReason !== undefined) return this.#failed(branch, { status: 487 });
        this.#ring(branch, { offer: told });
      })
      .catch((failure: SipFailure) => this.#failed(branch, failure));
  }

  #ring(branch: Branch, ring: Ring): void {
    const { offer, at: target = branch.target } = ring;
    const sdp = offer === '' ? { noAck: true } : { localSdp: offer };
    const { headers, ...body } = contentOf(target, offer);
    const proxy = target.proxy === undefined ? {} : { proxy: target.proxy };
    const auth = target.auth === undefined ? {} : { auth: target.auth };
    branch.rungAt = this.#clock.now();
    this.#waitFor(branch, branch.rungAt);
    this.#srf
      .createUAC(
        target.uri,
        { headers, ...sdp, ...body, ...proxy, ...auth },
        {
          cbRequest: (error, request) => {
            if (error) return;
            branch.request = request;
            if (branch.cancelReason !== undefined) cancel(request, branch.cancelReason);
          },
          cbProvisional: (response) => this.#provisional(branch, response),
        },
      )
      .then((leg) => this.#answered(branch, leg))
      .catch((failure: SipFailure) => this.#refused(branch, ring, failure));
  }

  /** What the server itself would not send is sent in plain, if there is a way; else the branch has failed. */
  #refused(branch: Branch, ring: Ring, failure: SipFailure): void {
    const { plainly } = branch.target;
    const isUnsent = failure.status === undefined && branch.request === undefined;
    if (!plainly || ring.at || !isUnsent || branch.cancelReason !== undefined)
      return this.#failed(branch, failure);
    branch.timer?.cancel();
    this.#ring(branch, { ...ring, at: { ...branch.target, proxy: undefined, ...plainly } });
  }

  /** For as long as it may give no sign of life; Timer B ends what has no such limit. */
  #waitFor(branch: Branch, since: number): void {
    const { target } = branch;
    const limit = target.answerWithinMs ?? (this.#isImpatientWith(target) ? SIGN_OF_LIFE : undefined);
    branch.timer?.cancel();
    if (limit === undefined) return;
    const left = Math.max(0, since + limit - this.#clock.now());
    branch.timer = this.#clock.setTimer(left, () => this.#giveUp(branch));
  }

  /** A registration nobody is behind any more must not hold up what others have said. */
  #isImpatientWith({ party, otherFlow }: Target): boolean {
    return otherFlow !== undefined || (party.kind === 'host' && this.#isRefused && !this.#request.undeterred);
  }

  #provisional(branch: Branch, response: Response): void {
    branch.timer?.cancel();
    branch.heard = true;
    if (this.#settled || branch.done) return;
    const isOnly = this.#branches.length === 1 && !branch.target.browser;
    this.#request.onProvisional(response, isOnly, branch.target);
  }

  #answered(branch: Branch, leg: Dialog | UnacknowledgedLeg): void {
    branch.timer?.cancel();
    if (this.#settled || branch.done) {
      hangUpLeg(leg, branch.cancelReason ?? COMPLETED_ELSEWHERE);
      branch.web?.drop();
      return;
    }
    branch.done = true;
    this.#settle({ outcome: 'answered', leg, target: branch.target, web: branch.web });
    this.#cancelOthers(COMPLETED_ELSEWHERE);
  }

  #failed(branch: Branch, failure: SipFailure): void {
    branch.timer?.cancel();
    if (branch.done || this.#passOn(branch, statusOf(branch.target, failure))) return;
    branch.done = true;
    branch.web?.drop();
    if (!this.#settled) this.#request.onFailed?.(branch.target);
    const status = statusOf(branch.target, failure);
    this.#failures.push({ status, reason: failure.reason ?? 'Not sent' });
    if (status >= 600 && !this.#request.undeterred) this.#cancelOthers(declinedBy(failure));
    else if (status < 500 && !SAYS_LEAST.has(status)) this.#hurry();
    this.#goOn();
  }

  /** Somebody has said no: who has given no sign of life is not waited for as long as SIP would. */
  #hurry(): void {
    this.#isRefused = true;
    for (const branch of this.#branches) {
      const { done, heard, cancelReason, rungAt } = branch;
      const isSilent = !done && !heard && cancelReason === undefined;
      if (isSilent && rungAt !== undefined) this.#waitFor(branch, rungAt);
    }
  }

  /** A phone that is not reached by one flow is rung by another. */
  #passOn(branch: Branch, status: number): boolean {
    const { otherFlow } = branch.target;
    const isWanted = !this.#settled && branch.cancelReason === undefined;
    const isLost = status === 430 || (!branch.heard && UNREACHED.has(status));
    if (!otherFlow || !isWanted || !isLost) return false;
    branch.done = true;
    branch.web?.drop();
    const next = branchTo(otherFlow);
    this.#branches.splice(this.#branches.indexOf(branch), 1, next);
    this.#begin(next);
    return true;
  }

  /** Timer of one that gives no sign of life. */
  #giveUp(branch: Branch): void {
    const isPassedOn = this.#passOn(branch, 408);
    this.#cancel(branch, reasonHeader(408, 'No answer in time'));
    if (!isPassedOn) this.#failed(branch, { status: 408, reason: 'No answer in time' });
  }

  #abort(): void {
    const { reason } = this.#request.signal;
    this.#settle({ outcome: 'aborted' });
    this.#cancelOthers(typeof reason === 'string' ? reason : COMPLETED_ELSEWHERE);
  }

  #cancelOthers(reason: string): void {
    for (const branch of this.#branches) {
      if (!branch.done) this.#cancel(branch, reason);
    }
  }

  /** A request that is not out yet is cancelled when it is; who has not joined never will. */
  #cancel(branch: Branch, reason: string): void {
    branch.timer?.cancel();
    if (branch.cancelReason !== undefined) return;
    branch.cancelReason = reason;
    branch.done ||= branch.waits;
    branch.waits = false;
    if (branch.request) cancel(branch.request, reason);
  }

  #settle(result: ForkResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
  }
}

function branchTo(target: Target): Branch {
  return {
    ...{ target, waits: (target.joinsAfterMs ?? 0) > 0, rungAt: undefined, request: undefined },
    ...{ timer: undefined, heard: false, web: undefined, cancelReason: undefined, done: false },
  };
}

/** The headers of a target's INVITE, and its body where that is more than the offer. */
function contentOf({ headers, enclosed }: Target, offer: string): { headers: Headers; body?: string } {
  const body = enclosed && bodyOf(offer, enclosed.part);
  if (!enclosed || !body) return { headers: { ...headers } };
  return { headers: { ...headers, ...enclosed.headers, 'Content-Type': body.type }, body: body.content };
}

function bodyOf(offer: string, part: BodyPart): Body | undefined {
  const body = multipart(offer === '' ? [part] : [{ type: 'application/sdp', content: offer }, part]);
  return body.content.length > MAX_BODY ? undefined : body;
}

/** drachtio-srf throws when there is no connection left; then there is nothing to cancel either. */
function cancel(request: Request, reason: string): void {
  try {
    request.cancel({ headers: { Reason: reason } }, () => undefined);
  } catch {
    // The server has cancelled it, or nobody ever will.
  }
}

function declinedBy({ status = 603, reason = 'Declined' }: SipFailure): string {
  return reasonHeader(status, reason);
}

/** Ends an answered leg nobody wants any more. */
export function hangUpLeg(leg: Dialog | UnacknowledgedLeg, reason: string): void {
  if (isUnacknowledged(leg)) leg.destroy().catch(() => undefined);
  else void leg.destroy({ headers: { Reason: reason } }, () => undefined);
}

/** Of a phone, 410 is the server's word for a connection that closed (RFC 5626 has 430), and not for a number. */
function statusOf({ party }: Target, { status = 503 }: SipFailure): number {
  return party.kind === 'host' && status === 410 ? 430 : status;
}

/** No answer in time and no way to the phone: whatever another phone said is better. */
const SAYS_LEAST = new Set([408, 430]);

/** What the server says of a phone that nothing was heard of; one that has rung says so itself. */
const UNREACHED = new Set([408, 503]);

/** RFC 3261 16.7 step 6: a 6xx first, else the lowest class; within it, what says most to the caller. */
function bestOf(failures: readonly { status: number; reason: string }[]): { status: number; reason: string } {
  const rank = ({ status }: { status: number }): number =>
    status >= 600 ? 0 : SAYS_LEAST.has(status) ? 499 : status;
  return failures.toSorted((a, b) => rank(a) - rank(b))[0] ?? { status: 480, reason: 'Nobody to ring' };
}
