import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server under load in a process of its own, so that its CPU can be told from the load's. */
export class Served {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts `node --import tsx FILE ARGS` and waits for a line that holds `ready`. */
  static async start(
    file: string,
    options: { args?: readonly string[]; env?: NodeJS.ProcessEnv; ready: string },
  ): Promise<Served> {
    const child = spawn(process.execPath, ['--import', 'tsx', file, ...(options.args ?? [])], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.once('exit', () => reject(new Error(`${file} ended before it was ready: ${said}`)));
      child.stdout!.on('data', (data: Buffer) => {
        said = (said + data.toString()).slice(-4_000);
        if (said.includes(options.ready)) resolve();
      });
    });
    return new Served(child);
  }

  /** CPU seconds used so far, user and system, all threads. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resident memory, MiB. */
  memory(): number {
    const pages = Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]);
    return (pages * 4096) / 2 ** 20;
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGTERM');
    await Promise.race([ended, sleep(12_000)]);
  }
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The value below which `share` of all lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
