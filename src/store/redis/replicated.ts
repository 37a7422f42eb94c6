import type { Link } from './connection.ts';

export interface Confirmation {
  readonly link: Link;
  /** Connection over which it was written: a new one would confirm what it never wrote. */
  readonly epoch: number;
  /** How many replicas must have it. */
  readonly replicas: number;
  /** How long they may take, ms, at least 1. What else is sent over the connection waits meanwhile. */
  readonly withinMs: number;
}

/** Whether enough replicas have what a connection wrote. */
export async function replicated({ link, epoch, replicas, withinMs }: Confirmation): Promise<boolean> {
  if (replicas <= 0) return true;
  if (link.epoch !== epoch) return false;
  const confirmed = await link.send('WAIT', replicas, withinMs).catch(() => 0);
  return Number(confirmed) >= replicas;
}
