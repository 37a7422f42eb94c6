import { buildPortal } from '../../src/portal/build.ts';

/** Builds the pages once, before the tests: a server that had to do it would be late for them. */
export default async function setup(): Promise<void> {
  if ((await buildPortal()) === 'failed') throw new Error('the pages of the portal could not be built');
}
