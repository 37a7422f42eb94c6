/** Reliable provisional responses of ours (RFC 3262 section 3). */

import type { SipMessage } from '../message/message.ts';
import { type Core, T1, T64 } from './core.ts';
import type { Reliable, ServerRequest } from './server-request.ts';

/** True when the peer can send PRACK. */
export function wantsReliable(invite: SipMessage): boolean {
  return /\b100rel\b/i.test([...invite.getAll('Supported'), ...invite.getAll('Require')].join(','));
}

/**
 * Numbers a reliable 1xx and sends it, or keeps it until the one before has its PRACK. `giveUp` runs when no PRACK
 * comes for 64*T1.
 */
export function sendReliable(
  core: Core,
  request: ServerRequest,
  options: { response: SipMessage; giveUp: () => void },
): void {
  // RFC 3262 3 asks for 1..2^31-1; half of that leaves room to count.
  request.reliable ??= {
    rseq: Math.floor(Math.random() * 0x3fffffff) + 1,
    outstanding: undefined,
    waiting: [],
  };
  const reliable = request.reliable;
  const rseq = reliable.rseq++;
  options.response.set('RSeq', String(rseq));
  const start = (): void => transmit(core, request, { ...options, rseq });
  if (reliable.outstanding) reliable.waiting.push(start);
  else start();
}

function transmit(
  core: Core,
  request: ServerRequest,
  options: { response: SipMessage; rseq: number; giveUp: () => void },
): void {
  const { response, rseq, giveUp } = options;
  const again = (wait: number) =>
    core.clock.setTimer(wait, () => {
      if (!request.reliable?.outstanding) return;
      request.tx.respond(response);
      request.reliable.outstanding.timer = again(wait * 2);
    });
  const deadline = core.clock.setTimer(T64, () => expire(request, giveUp));
  request.reliable!.outstanding = { rseq, message: response, timer: again(T1), deadline };
  request.tx.respond(response);
}

function expire(request: ServerRequest, giveUp: () => void): void {
  const waiting = stop(request);
  // A 2xx that waited for the PRACK may still save the call.
  if (request.answered) waiting.at(-1)?.();
  else giveUp();
}

/** Runs `send` now, or when the last reliable 1xx has its PRACK (RFC 3262 3 for 2xx). */
export function afterReliable(request: ServerRequest, send: () => void): void {
  if (request.reliable?.outstanding) request.reliable.waiting.push(send);
  else send();
}

/** True when `rack` acknowledges the 1xx on the wire; the next one follows. */
export function prackReceived(request: ServerRequest, rack: string): boolean {
  const reliable = request.reliable;
  const match = /^\s*(\d+)\s+(\d+)\s+INVITE\s*$/.exec(rack);
  if (!reliable?.outstanding || !match) return false;
  const seq = request.tx.request.cseq?.seq;
  if (Number(match[1]) !== reliable.outstanding.rseq || Number(match[2]) !== seq) return false;
  const [next, ...rest] = stop(request);
  reliable.waiting = rest;
  next?.();
  return true;
}

/** The INVITE is over: nothing is repeated or sent any more. */
export function clearReliable(request: ServerRequest): void {
  stop(request);
}

/** Stops the repetition and takes what waited. */
function stop(request: ServerRequest): Reliable['waiting'] {
  const reliable = request.reliable;
  if (!reliable) return [];
  reliable.outstanding?.timer.cancel();
  reliable.outstanding?.deadline.cancel();
  reliable.outstanding = undefined;
  const waiting = reliable.waiting;
  reliable.waiting = [];
  return waiting;
}
