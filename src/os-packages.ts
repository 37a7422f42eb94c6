import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** A program Hotdesk runs, and the Debian package it comes in. */
export interface Wanted {
  readonly binary: string;
  readonly package: string;
}

/** The machine, as far as looking for and installing programs goes; tests give one of their own. */
export interface Machine {
  readonly isRoot: boolean;
  /** Contents of /etc/os-release, or nothing where there is none. */
  release(): Promise<string>;
  /** Runs a command to its end; true when it succeeded. `errors`: whether what it complains about is shown. */
  run(command: string, args: readonly string[], errors: 'shown' | 'hidden'): Promise<boolean>;
}

const TIMEOUT_MS = 5 * 60_000;

function run(command: string, args: readonly string[], errors: 'shown' | 'hidden'): Promise<boolean> {
  return new Promise((resolve) => {
    const stderr = errors === 'shown' ? 'inherit' : 'ignore';
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', stderr], timeout: TIMEOUT_MS });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}

export const THIS_MACHINE: Machine = {
  isRoot: process.getuid?.() === 0,
  release: () => readFile('/etc/os-release', 'utf8').catch(() => ''),
  run,
};

function isLikeDebian(release: string): boolean {
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Those not on the PATH. */
async function absent(wanted: readonly Wanted[], machine: Machine): Promise<Wanted[]> {
  const found = await Promise.all(
    wanted.map(({ binary }) => machine.run('sh', ['-c', 'command -v "$1"', 'sh', binary], 'hidden')),
  );
  return wanted.filter((_, index) => !found[index]);
}

function packagesOf(wanted: readonly Wanted[]): string[] {
  return [...new Set(wanted.map((one) => one.package))];
}

/** apt-get must ask nothing, and wait a minute where another one is at work. */
const APT = ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=60'];

/** An update that fails is no reason to stop: the lists there are may do. */
async function install(packages: readonly string[], machine: Machine): Promise<void> {
  await machine.run('env', [...APT, 'update'], 'hidden');
  await machine.run('env', [...APT, 'install', '-y', '--no-install-recommends', ...packages], 'shown');
}

/**
 * Sees to it that programs are there: looks on the PATH and, as root on Debian or Ubuntu, installs what is missing
 * with apt-get, saying so. Resolves with undefined when all are there, else with one sentence that names the command
 * to run. Never rejects.
 */
export async function ensurePackages(
  wanted: readonly Wanted[],
  say: (line: string) => void,
  machine: Machine = THIS_MACHINE,
): Promise<string | undefined> {
  const missing = await absent(wanted, machine);
  if (missing.length === 0) return undefined;
  const packages = packagesOf(missing);
  if (!isLikeDebian(await machine.release())) {
    return `Not installed here: ${missing.map(({ binary }) => binary).join(', ')}. Please install it and start again.`;
  }
  if (!machine.isRoot) return advice(missing);
  say(`Installing ${packages.join(' and ')} with apt-get …`);
  await install(packages, machine);
  const still = await absent(missing, machine);
  return still.length === 0 ? undefined : advice(still);
}

function advice(missing: readonly Wanted[]): string {
  const binaries = missing.map(({ binary }) => binary).join(' and ');
  const command = `sudo apt-get install -y --no-install-recommends ${packagesOf(missing).join(' ')}`;
  return `Not installed here: ${binaries}. Please run: ${command}`;
}
