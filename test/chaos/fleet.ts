import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Association } from '../../src/domain/association.ts';
import type { FaceOutcome } from '../../src/services/ports.ts';
import type { Answer, Order, Setup, ToController, ToNode } from './protocol.ts';

/** `died`: the node was killed before it answered. `silent`: it lives and does not answer. */
export type Outcome = Answer | { readonly outcome: 'died' } | { readonly outcome: 'silent' };

/** One life of a node, from start to kill. */
export interface Life {
  readonly node: string;
  readonly startedAt: number;
  readyAt: number | undefined;
  endedAt: number | undefined;
}

export interface FleetOptions {
  readonly program: string;
  readonly setups: readonly Setup[];
  /** Asks a phone to show a guest. */
  readonly onFace: (face: { host: string; seq: number; guest: string | undefined }) => FaceOutcome;
}

const NODE_ARGS = ['--no-warnings', '--max-semi-space-size=8'];
const RESTART_MS = { min: 20, spread: 130 };
/** Twice the longest that a store that is away may keep somebody waiting, and much more. */
const SILENT_MS = 10_000;
const STOP_MS = 5_000;
const MOST_LOG = 2_000;
const MOST_ERRORS = 200;

/** The nodes: started again whenever they end, until the fleet stops. */
export class Fleet {
  readonly lives: Life[] = [];
  readonly log: string[] = [];
  /** Ends that nobody wanted. */
  readonly crashes: string[] = [];
  readonly errors: string[] = [];
  readonly #members: Member[];
  #stopping = false;

  constructor(options: FleetOptions) {
    this.#members = options.setups.map((setup) => new Member(setup, options, this));
  }

  start(): void {
    for (const member of this.#members) this.#run(member);
  }

  /** Nodes that take orders. */
  get ready(): readonly Member[] {
    return this.#members.filter(({ isReady }) => isReady);
  }

  /** Nodes that have a process. */
  get alive(): readonly Member[] {
    return this.#members.filter(({ isAlive }) => isAlive);
  }

  /** Ends all in order; those that do not end are killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#members.map((member) => member.stop()));
  }

  /** For the very end. */
  killAll(): void {
    this.#stopping = true;
    for (const member of this.#members) member.kill();
  }

  #run(member: Member): void {
    if (this.#stopping) return;
    void member.live().then(async (why) => {
      if (why !== undefined && !this.#stopping) this.crashes.push(`${member.name}: ${why}`);
      await delay(RESTART_MS.min + Math.random() * RESTART_MS.spread);
      this.#run(member);
    });
  }
}

/** One node, whichever process it is at the moment. */
export class Member {
  readonly name: string;
  readonly #setup: Setup;
  readonly #options: FleetOptions;
  readonly #fleet: Pick<Fleet, 'lives' | 'log' | 'errors'>;
  readonly #waiting = new Map<number, (outcome: Outcome | readonly Association[]) => void>();
  #child: ChildProcess | undefined;
  #life: Life | undefined;
  #killed = false;
  #ids = 0;

  constructor(setup: Setup, options: FleetOptions, fleet: Pick<Fleet, 'lives' | 'log' | 'errors'>) {
    this.name = setup.node;
    this.#setup = setup;
    this.#options = options;
    this.#fleet = fleet;
  }

  get isAlive(): boolean {
    return this.#child !== undefined;
  }

  get isReady(): boolean {
    return this.isAlive && this.#life?.readyAt !== undefined && !this.#killed;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** One process; resolves when it has ended, with how when nobody has killed it. */
  async live(): Promise<string | undefined> {
    const child = fork(this.#options.program, [JSON.stringify(this.#setup)], {
      execArgv: NODE_ARGS,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const life: Life = { node: this.name, startedAt: Date.now(), readyAt: undefined, endedAt: undefined };
    this.#fleet.lives.push(life);
    [this.#child, this.#life, this.#killed] = [child, life, false];
    child.on('message', (message: ToController) => this.#onMessage(message, life));
    child.stderr?.on('data', (data: Buffer) => this.#note(data.toString('utf8').trimEnd()));
    child.once('error', (error) => this.#note(error.message));
    const heardOut = once(child, 'disconnect');
    const [code, signal] = await once(child, 'exit');
    life.endedAt = Date.now();
    // What it said before may still be on its way.
    await heardOut;
    this.#child = undefined;
    for (const settle of this.#waiting.values()) settle({ outcome: 'died' });
    return this.#killed ? undefined : `ended by itself (${signal ?? code})`;
  }

  /** Kills it with -9. False: there was nothing to kill. */
  kill(): boolean {
    if (this.#child === undefined || this.#killed) return false;
    this.#killed = true;
    return this.#child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#killed = true;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  async order(order: Order): Promise<Outcome> {
    const reply = await this.#ask((id) => ({ type: 'order', id, order }));
    return 'outcome' in reply ? reply : { outcome: 'silent' };
  }

  /** Who sits where, as this node sees it; undefined when it does not say. */
  async view(): Promise<readonly Association[] | undefined> {
    const reply = await this.#ask((id) => ({ type: 'view', id }));
    return 'outcome' in reply ? undefined : reply;
  }

  #ask(message: (id: number) => ToNode): Promise<Outcome | readonly Association[]> {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ outcome: 'silent' }), SILENT_MS);
      const settle = (reply: Outcome | readonly Association[]): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(reply);
      };
      this.#waiting.set(id, settle);
      this.#send(message(id));
    });
  }

  #send(message: ToNode): void {
    // A node that has just died settles everything when it is closed.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #onMessage(message: ToController, life: Life): void {
    switch (message.type) {
      case 'ready':
        life.readyAt = Date.now();
        return;
      case 'answer':
        return this.#waiting.get(message.id)?.(message.answer);
      case 'view':
        return this.#waiting.get(message.id)?.(message.associations);
      case 'face': {
        const { id, host, seq, guest } = message;
        return this.#send({ type: 'phone', id, outcome: this.#options.onFace({ host, seq, guest }) });
      }
      case 'log':
        if (message.level === 'error' && this.#fleet.errors.length < MOST_ERRORS)
          this.#fleet.errors.push(`${this.name} ${message.text} ${message.detail}`);
        return this.#note(`${message.level} ${message.text} ${message.detail}`);
    }
  }

  #note(text: string): void {
    const { log } = this.#fleet;
    log.push(`${new Date().toISOString()} ${this.name} ${text.slice(0, 500)}`);
    if (log.length > MOST_LOG) log.shift();
  }
}
