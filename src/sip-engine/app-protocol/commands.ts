/** First lines of the application protocol (DP §2, §6, §8, §21). All texts are latin1. */

import { randomUUID } from 'node:crypto';
import type { CdrEvent, Delivery, Echo } from '../dialog/app.ts';

/** One payload of an application. */
export interface Command {
  id: string;
  type: string;
  /** Tokens after the type. */
  args: string[];
  /** What follows the first line. */
  sip: string;
}

/** Splits a payload; undefined when it has fewer than two tokens. */
export function parseCommand(payload: string): Command | undefined {
  const end = payload.indexOf('\r\n');
  const [id, type, ...args] = (end < 0 ? payload : payload.slice(0, end)).split('|');
  if (!id || !type) return undefined;
  return { id, type, args, sip: end < 0 ? '' : payload.slice(end + 2) };
}

/** `response` to command `id`. */
export function responseTo(id: string, tokens: readonly (string | number)[], sip = ''): string {
  const line = [randomUUID(), 'response', id, ...tokens].join('|');
  return sip === '' ? line : `${line}\r\n${sip}`;
}

/** `OK` for a message that was sent; requests and responses have different tokens (DP §8). */
export function echoResponse(id: string, echo: Echo): string {
  const size = echo.held ? 0 : echo.text.length;
  const head = [
    'OK',
    'application',
    size,
    echo.protocol,
    echo.address,
    echo.port,
    timeOfDay(),
    echo.transactionId,
  ];
  const dialog = echo.dialogId === undefined ? [] : [echo.dialogId, ''];
  return responseTo(id, [...head, ...dialog, 'Msg sent:', ''], echo.text);
}

/** A `sip` message to an application: 13 tokens for a new request, else 11; the last is empty (DP §6). */
export function sipFrame(delivery: Delivery): string {
  const { source, size, protocol, address, port, transactionId, dialogId, receivedOn } = delivery;
  const arrival = receivedOn ? [receivedOn.address, receivedOn.port] : [];
  const head = [
    randomUUID(),
    'sip',
    source,
    size,
    protocol,
    address,
    port,
    timeOfDay(),
    transactionId,
    dialogId,
  ];
  return `${[...head, ...arrival, ''].join('|')}\r\n${delivery.text}`;
}

/** A call record (DP §21). */
export function cdrFrame(event: CdrEvent): string {
  const head = [randomUUID(), `cdr:${event.type}`, event.source, timeOfDay()];
  const last = event.type === 'start' ? [event.role] : event.type === 'stop' ? [event.reason] : [];
  return `${[...head, ...last].join('|')}\r\n${event.text}`;
}

/** UTC `HH:MM:SS.uuuuuu`; Node's clock has milliseconds. */
function timeOfDay(): string {
  return `${new Date().toISOString().slice(11, 23)}000`;
}
