import { readFile, readlink, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Folder } from './config.ts';
import { ask, ping } from './ping.ts';
import { RedisUnusable } from './unusable.ts';

const PATIENCE_MS = 3000;

/**
 * Ends a redis-server that a Hotdesk killed with -9 has left in this folder; to be called by the owner of the folder.
 * Nothing it acknowledged is lost: every write is on disk before its reply.
 * @throws RedisUnusable when it does not go
 */
export async function endOrphan(folder: Folder): Promise<boolean> {
  const pid = await orphanPid(folder);
  if (pid === undefined && (await ping(folder.socket)) === 'absent') return false;
  if (pid === undefined) {
    await ask(folder.socket, 'SHUTDOWN', PATIENCE_MS);
  } else {
    process.kill(pid, 'SIGTERM');
    if (!(await gone(folder, PATIENCE_MS))) process.kill(pid, 'SIGKILL');
  }
  if (!(await gone(folder, PATIENCE_MS))) {
    throw new RedisUnusable(
      `A redis-server of an earlier run still uses ${folder.path} and does not end: stop it first`,
    );
  }
  return true;
}

async function gone(folder: Folder, patienceMs: number): Promise<boolean> {
  for (let waited = 0; waited < patienceMs; waited += 20) {
    if ((await orphanPid(folder)) === undefined && (await ping(folder.socket)) === 'absent') return true;
    await delay(20);
  }
  return false;
}

/** Pid in the pid file, if that process is a redis-server at work in this folder: pids are used again. */
async function orphanPid(folder: Folder): Promise<number | undefined> {
  const pid = Number(await readFile(folder.pidFile, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const process = `/proc/${pid}`;
  const [cwd, here, name] = await Promise.all(
    [readlink(`${process}/cwd`), realpath(folder.path), readFile(`${process}/comm`, 'utf8')].map((fact) =>
      fact.catch(() => undefined),
    ),
  );
  return cwd !== undefined && cwd === here && basename(name ?? '').startsWith('redis') ? pid : undefined;
}
