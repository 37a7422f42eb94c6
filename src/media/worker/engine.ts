import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clip } from '../codec/codecs.ts';
import { recordedClip } from '../codec/recorded-clip.ts';
import type { PlayItem } from '../media.ts';
import { Pacer } from '../rtp/pacer.ts';
import { newNegotiation, type Terms } from '../sdp/negotiation.ts';
import type { Endpoint } from '../sdp/remote.ts';
import { Call } from './call.ts';
import { PortPool } from './ports.ts';
import type { Command, Counters, Reply, Report, Request, Settings } from './protocol.ts';

export interface EngineOptions {
  readonly settings: Settings;
  readonly clips: ReadonlyMap<string, Clip>;
  readonly counters: Counters;
  readonly tell: (report: Report) => void;
}

const FAULT_EVERY_MS = 10_000;

interface Open {
  readonly call: Call;
  readonly socket: Socket;
}

/** Everything the worker does: commands in, reports out, calls with their sockets and one clock in between. */
export class Engine {
  private readonly options: EngineOptions;
  private readonly ports: PortPool;
  private readonly pacer: Pacer;
  private readonly terms: Terms;
  private readonly open = new Map<number, Open>();
  private readonly work: (() => void)[] = [];
  private faultAt = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    const { settings, counters } = options;
    this.options = options;
    this.ports = new PortPool(settings.address, settings.ports);
    this.pacer = new Pacer({
      now: () => performance.now(),
      setTimer: (run, ms) => void setTimeout(run, ms),
      onLost: (steps) => counters.add('ticksLost', steps),
      onError: (error) => this.fault(error),
    });
    this.terms = {
      policy: { srtp: settings.srtp, inband: settings.inband, ipv6: isIPv6(settings.address) },
      randomBytes,
    };
  }

  /** Does one command; requests are always answered. */
  async handle(command: Command): Promise<void> {
    if (command.type === 'play') return this.play(command);
    if (command.type === 'stop') return this.open.get(command.session)?.call.stop();
    if (command.type === 'record') return this.record(command);
    if (command.type === 'stopRecording') return this.open.get(command.session)?.call.stopRecording();
    const reply = await this.answer(command).catch((error): Reply => {
      this.options.tell({ type: 'problem', text: 'media request failed', data: { error: String(error) } });
      return { refused: 'noPorts' };
    });
    this.options.tell({ type: 'reply', ref: command.ref, reply });
  }

  private async answer(request: Request): Promise<Reply> {
    if (request.type === 'open') return this.openCall(request);
    if (request.type === 'close') return this.close(request.session);
    const call = this.open.get(request.session)?.call;
    if (call === undefined) return {};
    return sdpReply(request.type === 'reoffer' ? call.offer() : call.take(request.sdp));
  }

  private async openCall(request: Extract<Request, { type: 'open' }>): Promise<Reply> {
    const socket = await this.ports.take();
    if (socket === undefined) return { refused: 'noPorts' };
    const call = this.newCall(request, socket);
    const sdp = request.offer === undefined ? call.offer() : call.take(request.offer);
    if (sdp === undefined) {
      await this.ports.release(socket);
      return { refused: 'notAcceptable' };
    }
    this.connect(socket, call);
    this.open.set(request.session, { call, socket });
    this.pacer.add(call);
    return { sdp };
  }

  private newCall({ session, peer }: { session: number; peer: string }, socket: Socket): Call {
    const { settings, counters, tell } = this.options;
    const address = settings.externalAddress ?? settings.address;
    return new Call({
      session,
      peer,
      settings,
      tell,
      terms: this.terms,
      negotiation: newNegotiation({
        sessionId: randomBytes(4).readUInt32BE(),
        address,
        port: socket.address().port,
      }),
      now: () => performance.now(),
      send: (packet, to) => this.send(socket, packet, to),
      count: (counter) => counters.add(counter),
      later: (work) => this.later(work),
    });
  }

  private send(socket: Socket, packet: Buffer, to: Endpoint): void {
    this.options.counters.add('packetsSent');
    socket.send(packet, to.port, to.address);
  }

  private connect(socket: Socket, call: Call): void {
    socket.on('error', () => this.options.counters.add('sendErrors'));
    socket.on('message', (data, from) => {
      try {
        call.receive(data, from);
      } catch (error) {
        this.fault(error); // one bad packet must not end everybody's call
      }
    });
  }

  /** Something is broken in one call; it may repeat every 20 ms. */
  private fault(error: unknown): void {
    const now = performance.now();
    if (now - this.faultAt < FAULT_EVERY_MS) return;
    this.faultAt = now;
    this.options.tell({ type: 'problem', text: 'a media packet failed', data: { error: String(error) } });
  }

  private async close(session: number): Promise<Reply> {
    const found = this.open.get(session);
    if (found === undefined) return {};
    this.open.delete(session);
    this.pacer.remove(found.call);
    const recording = found.call.end();
    await this.ports.release(found.socket);
    const recorded = await recording;
    return recorded === undefined ? {} : { recorded };
  }

  /** One piece of work at a time, so that the clock gets its turn between two. */
  private later(work: () => void): void {
    this.work.push(work);
    if (this.work.length === 1) setImmediate(this.workOff);
  }

  private readonly workOff = (): void => {
    try {
      this.work[0]?.();
    } catch (error) {
      this.fault(error);
    }
    this.work.shift();
    if (this.work.length > 0) setImmediate(this.workOff);
  };

  private record({ session, ref, options }: Extract<Command, { type: 'record' }>): void {
    const call = this.open.get(session)?.call;
    if (call === undefined) this.options.tell({ type: 'recorded', session, ref, mulaw: undefined });
    else call.record(ref, options);
  }

  private play({ session, ref, clips }: Extract<Command, { type: 'play' }>): void {
    const missing = clips.filter((item) => typeof item === 'string' && !this.options.clips.has(item));
    if (missing.length > 0) {
      this.options.tell({ type: 'problem', text: 'there are no such prompts', data: { prompts: missing } });
    }
    this.open.get(session)?.call.play(
      ref,
      clips.flatMap((item) => this.clipOf(item) ?? []),
    );
  }

  private clipOf(item: PlayItem): Clip | undefined {
    return typeof item === 'string' ? this.options.clips.get(item) : recordedClip(item.mulaw);
  }
}

function sdpReply(sdp: string | undefined): Reply {
  return sdp === undefined ? { refused: 'notAcceptable' } : { sdp };
}
