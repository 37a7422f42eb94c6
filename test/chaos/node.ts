import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes, randomUUID } from 'node:crypto';
import { isRefusal, type Refusal } from '../../src/domain/reasons.ts';
import { Expiry } from '../../src/services/expiry.ts';
import { type Ended, HotDesk, type LoggedIn } from '../../src/services/hot-desk.ts';
import { LocalView } from '../../src/services/local-view.ts';
import { Passcodes } from '../../src/services/passcodes.ts';
import { PendingEnds } from '../../src/services/pending-ends.ts';
import { PhoneUpdates } from '../../src/services/phone-updates.ts';
import type { FaceOutcome, Log, PhonePort } from '../../src/services/ports.ts';
import { createSealing } from '../../src/services/sealing.ts';
import { createWebhooks } from '../../src/services/webhooks/create-webhooks.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answer, Order, Setup, ToController, ToNode } from './protocol.ts';

/**
 * One node as in server.ts, without SIP, media and HTTP: what it is told comes by IPC, and so do its phones. It may
 * be killed at any moment, and ends with its controller.
 */

/** Phones answer at once or not at all. */
const PHONE_MS = 2_000;

const setup = JSON.parse(process.argv[2] ?? '{}') as Setup;
const { company, acceptWeakDurability } = setup;
const log: Log = {
  info: () => undefined,
  warn: (data, text) => tellLog('warn', data, text),
  error: (data, text) => tellLog('error', data, text),
};
const clock = { now: () => Date.now(), setTimer };
const peppers = { keyId: 'chaos', pepper: Buffer.from(setup.pepperHex, 'hex') };
/** The order for which the store is called. */
const current = new AsyncLocalStorage<Order>();
const phones = new Map<number, (outcome: FaceOutcome) => void>();
let faces = 0;

const store = createRedisStore({
  ...{ connection: { path: setup.socket }, company, node: setup.node, clock, acceptWeakDurability },
  onProblem: (text, error) => tellLog('warn', error ? { err: error } : {}, text),
});
const view = new LocalView({ clock, log });
const following = new AbortController();
const expiry = new Expiry({ store, timers: clock, log });
const pendingEnds = new PendingEnds({ store, view, timers: clock, log });
const hotDesk = new HotDesk({
  ...{ store: asOrdered(store), view, pendingEnds, log, random: { uuid: randomUUID } },
  passcodes: new Passcodes(peppers),
  // Nobody's passcode is outdated or to be replaced here.
  passcodeService: { replace: async () => ({ refused: 'storeUnavailable' }), renew: () => undefined },
  storeNow: () => view.now(),
});
const webhooks = createWebhooks({
  ...{ store, view, clock, timers: clock, log, company, userAgent: 'Hotdesk chaos' },
  directory: { editDirectory: async () => ({ refused: 'storeUnavailable' }) },
  sealing: createSealing(peppers),
  random: { uuid: randomUUID, bytes: (count) => randomBytes(count), fraction: Math.random },
  targets: { allowInsecure: true, allowedNetworks: ['127.0.0.0/8'] },
});
const phone: PhonePort = {
  isFree: () => true,
  update: (host, { seq, association }) => askPhone({ host, seq, guest: association?.guest }),
};
const phoneUpdates = new PhoneUpdates({ store, view, phone, spacingMs: 0, clock, log });

/** What the directory cannot say (limits below an hour), and whose doing it is. */
function asOrdered(
  inner: Store,
): Pick<Store, 'associate' | 'end' | 'reserveGuess' | 'confirmGuess' | 'available'> {
  return {
    get available() {
      return inner.available;
    },
    associate(command) {
      const order = current.getStore();
      if (order === undefined || !('guest' in order)) return inner.associate(command);
      const { limitMs, occupied, actor } = order;
      return inner.associate({ ...command, limitMs, occupied, actor });
    },
    end: (command) => inner.end({ ...command, actor: current.getStore()?.actor ?? command.actor }),
    reserveGuess: (key) => inner.reserveGuess(key),
    confirmGuess: (key) => inner.confirmGuess(key),
  };
}

async function carryOut(order: Order): Promise<LoggedIn | Ended | Refusal> {
  const { host, actor } = order;
  // As in sip/ and http/: a node that knows no phones yet serves none.
  if (!view.directory) return { refused: 'storeUnavailable' };
  switch (order.kind) {
    case 'logIn': {
      const { guest: extension, passcode } = order;
      return hotDesk.logIn({ host, extension, passcode, source: host });
    }
    case 'associate':
      return hotDesk.associate({ host, extension: order.guest, actor });
    case 'logOut':
      return hotDesk.logOut({ host });
    case 'release':
      return hotDesk.release({ host, actor });
  }
}

async function answerTo(order: Order): Promise<Answer> {
  const result = await current.run(order, () => carryOut(order));
  if (isRefusal(result)) return { outcome: 'refused', reason: result.refused };
  const { association } = result;
  if (!('guest' in order)) return { outcome: 'ended', association };
  const movedFrom = 'movedFrom' in result ? result.movedFrom?.id : undefined;
  return { outcome: 'loggedIn', association, movedFrom };
}

function askPhone(face: { host: string; seq: number; guest: string | undefined }): Promise<FaceOutcome> {
  faces += 1;
  const id = faces;
  return new Promise((resolve) => {
    const timer = setTimer(PHONE_MS, () => settle('failed'));
    const settle = (outcome: FaceOutcome): void => {
      timer.cancel();
      phones.delete(id);
      resolve(outcome);
    };
    phones.set(id, settle);
    tell({ type: 'face', id, ...face });
  });
}

function onMessage(message: ToNode): void {
  switch (message.type) {
    case 'order':
      void answerTo(message.order).then((answer) => tell({ type: 'answer', id: message.id, answer }));
      return;
    case 'view':
      return tell({ type: 'view', id: message.id, associations: [...view.associations()] });
    case 'phone':
      return phones.get(message.id)?.(message.outcome);
  }
}

function tell(message: ToController): void {
  if (process.connected) process.send?.(message);
}

function tellLog(level: string, data: object, text: string): void {
  const { err, ...rest } = data as { err?: Error };
  const detail = err instanceof Error ? `${err.message} ${err.cause ?? ''}` : JSON.stringify(rest);
  tell({ type: 'log', level, text, detail });
}

function setTimer(ms: number, run: () => void): { cancel(): void } {
  const timer = setTimeout(run, ms);
  return { cancel: () => clearTimeout(timer) };
}

async function start(): Promise<void> {
  await store.start();
  // As server.ts: a store that is away is no reason to wait for ever.
  await Promise.race([
    store.follow(view, following.signal),
    new Promise((go) => setTimer(2_000, () => go(0))),
  ]);
  pendingEnds.start();
  expiry.start();
  webhooks.start();
  phoneUpdates.start();
  process.on('message', onMessage);
  tell({ type: 'ready' });
}

async function stop(): Promise<void> {
  phoneUpdates.stop();
  await webhooks.stop();
  await expiry.stop();
  pendingEnds.stop();
  following.abort();
  await store.stop();
  process.exit(0);
}

process.on('disconnect', () => process.exit(0));
process.once('SIGTERM', () => void stop());
start().catch((error: Error) => {
  tellLog('error', { err: error }, 'the node does not start');
  setTimer(100, () => process.exit(1));
});
