import { parentPort, workerData } from 'node:worker_threads';
import { loadPrompts } from '../prompts/load.ts';
import { Pulse } from '../pulse.ts';
import { Engine } from './engine.ts';
import { bindSocket } from './ports.ts';
import { type Command, Counters, type Report, type WorkerStart } from './protocol.ts';

/** The worker thread's edge: load, say ready, then do as told. */

const { settings, counters, pulse: pulseMemory } = workerData as WorkerStart;
const pulse = new Pulse(pulseMemory);

function tell(report: Report): void {
  parentPort?.postMessage(report);
}

/** Fails early and clearly when the address is not this machine's. */
async function tryAddress(): Promise<void> {
  const socket = await bindSocket(settings.address, 0);
  socket.close();
}

async function start(): Promise<void> {
  await tryAddress();
  const clips = loadPrompts(settings.prompts, (text, data) => tell({ type: 'problem', text, data }));
  const engine = new Engine({ settings, clips, counters: new Counters(counters), tell });
  parentPort?.on('message', (command: Command) => {
    if (command.type === 'ping') pulse.beat();
    else void engine.handle(command);
  });
  tell({ type: 'ready' });
}

start().catch((error: Error) => tell({ type: 'failed', text: error.message }));
