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
import type { Command, Counters, Ping, Reply, Report, Request, Settings } from './protocol.ts';
import { Relays } from './relays.ts';

export interface EngineOptions {
  readonly settings: Settings;
  readonly clips: ReadonlyMap<string, Clip>;
  readonly counters: Counters;
  readonly tell: (report: Report) => void;
}

/** Whose call it is, and what kind. */
interface Owner {
  readonly session: number;
  readonly peer: string;
  readonly urgent?: boolean;
  readonly relayed?: boolean;
}

const FAULT_EVERY_MS = 10_000;

export interface Open {
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
  private readonly relays: Relays;
  private readonly work: (() => void)[] = [];
  private faultAt = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    const { settings, counters } = options;
    this.options = options;
    this.ports = new PortPool(settings.address, { ...settings.ports, reserves: settings.webrtc === 'on' });
    this.pacer = new Pacer({
      now: () => performance.now(),
      setTimer: (run, ms) => void setTimeout(run, ms),
      onLost: (steps) => counters.add('ticksLost', steps),
      onError: (error) => this.fault(error),
    });
    this.terms = {
      policy: {
        ...{ srtp: settings.srtp, inband: settings.inband, ipv6: isIPv6(settings.address) },
        webrtc: settings.webrtc === 'on',
      },
      randomBytes,
    };
    this.relays = new Relays({
      sessions: this.open,
      start: (owner) => this.startCall(owner),
      end: (call) => this.endCall(call),
    });
  }

  /** Does one command; requests are always answered. */
  async handle(command: Exclude<Command, Ping>): Promise<void> {
    if (command.type === 'play') return this.play(command);
    if (command.type === 'stop') return this.open.get(command.session)?.call.stop();
    if (command.type === 'record') return this.record(command);
    if (command.type === 'stopRecording') return this.open.get(command.session)?.call.stopRecording();
    if (command.type === 'watch') return this.relays.watch(command.session);
    if (command.type === 'trust') return this.relays.trust(command.session, command.peer);
    const reply = await this.answer(command).catch((error): Reply => {
      this.options.tell({ type: 'problem', text: 'media request failed', data: { error: String(error) } });
      return { refused: 'noPorts' };
    });
    this.options.tell({ type: 'reply', ref: command.ref, session: command.session, reply });
  }

  private async answer(request: Request): Promise<Reply> {
    if (request.type === 'open') return this.openCall(request);
    if (request.type === 'close') return this.close(request.session);
    if (request.type === 'relay') return sdpReply(await this.relays.open(request), 'noPorts');
    if (request.type === 'pass') return sdpReply(this.relays.pass(request));
    if (request.type === 'otherwise') return sdpReply(this.relays.otherwise(request.session));
    const call = this.open.get(request.session)?.call;
    if (call === undefined) return {};
    return sdpReply(request.type === 'reoffer' ? call.offer() : call.take(request.sdp));
  }

  private async openCall(request: Extract<Request, { type: 'open' }>): Promise<Reply> {
    const opened = await this.startCall(request);
    if (opened === undefined) return { refused: 'noPorts' };
    const { call } = opened;
    const sdp = request.offer === undefined ? call.offer() : call.take(request.offer);
    if (sdp === undefined) {
      await this.endCall(opened);
      return { refused: 'notAcceptable' };
    }
    this.open.set(request.session, opened);
    return { sdp };
  }

  /** A call on a port of its own, and on the clock; undefined when every port is taken. */
  private async startCall(owner: Owner): Promise<Open | undefined> {
    const socket = await this.ports.take(owner.urgent);
    if (socket === undefined) return undefined;
    const call = this.newCall(owner, socket);
    this.connect(socket, call);
    this.pacer.add(call);
    return { call, socket };
  }

  private async endCall({ call, socket }: Open): Promise<void> {
    this.pacer.remove(call);
    await this.ports.release(socket);
  }

  private newCall({ session, peer, urgent, relayed }: Owner, socket: Socket): Call {
    const { settings, counters, tell } = this.options;
    const address = settings.externalAddress ?? settings.address;
    const call: Call = new Call({
      session,
      peer,
      urgent,
      relayed,
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
      onLost: (why) => tell({ type: 'lost', session: this.relays.ownerOf(call) ?? session, why }),
    });
    return call;
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
    if (found === undefined) {
      await this.relays.close(session);
      return {};
    }
    this.open.delete(session);
    const recording = found.call.end();
    if (this.relays.ownerOf(found.call) === undefined) await this.endCall(found);
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

function sdpReply(sdp: string | undefined, refused: 'notAcceptable' | 'noPorts' = 'notAcceptable'): Reply {
  return sdp === undefined ? { refused } : { sdp };
}
