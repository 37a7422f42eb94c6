import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { tagOf } from '../services/entry-tag.ts';

/** Headers of edits. Others are let through as they are. */
export const ifMatch = z.looseObject({
  'if-match': z
    .exactOptional(z.string().max(200))
    .describe('ETag of what was read: when it has changed since, 412 and nothing is changed.'),
});

/** Says what state of an entry is told, for If-Match of an edit. Who is logged in and registered is no part of it. */
export function tag(reply: { header(name: 'etag', value: string): unknown }, entry: object): void {
  reply.header('etag', `"${tagOf(entry)}"`);
}

/**
 * The tag an edit is for; undefined: any (RFC 9110 13.1.1). Anything but one strong tag is a tag of nothing: the edit is
 * refused, not made all the same.
 */
export function ifTagOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const given = request.headers['if-match']?.trim();
  if (given === undefined || given === '*') return undefined;
  return /^"([^"]*)"$/.exec(given)?.[1] ?? '';
}
