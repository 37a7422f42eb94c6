import { randomUUID } from 'node:crypto';

/** How drachtio-srf writes messages to its server, and hears of what became of them. */
export interface FrameWire {
  send(socket: unknown, message: string): string;
  emit(event: 'msg', socket: unknown, message: string): boolean;
}

/** Octets of the longest message a drachtio-server is sent: at 12,200 it stops to read, for good. */
export const LONGEST_FOR_DRACHTIO = 11_000;

/**
 * What is too long for the server stays here, and who sends it hears that it was not taken, as from the server itself.
 * Anybody can make us pass on a long body.
 */
export function limitFrames(wire: FrameWire, longest: number, onTooLong: (octets: number) => void): void {
  const send = wire.send.bind(wire);
  wire.send = (socket, message) => {
    const octets = Buffer.byteLength(message);
    if (octets <= longest) return send(socket, message);
    onTooLong(octets);
    const id = randomUUID();
    setImmediate(() => wire.emit('msg', socket, `${randomUUID()}|response|${id}|NOK|Message too long`));
    return id;
  };
}
