import { describe, expect, it } from 'vitest';
import { Routes } from '../../../src/sip-engine/app-protocol/routes.ts';

describe('routes', () => {
  it('are a set, served in turn', () => {
    const routes = new Routes<string>();
    for (const one of ['a', 'a', 'b', 'a']) routes.add('invite', one);
    expect(Array.from({ length: 5 }, () => routes.next('invite'))).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect(routes.next('INVITE')).toBeUndefined();
  });

  it('lose only what is removed', () => {
    const routes = new Routes<string>();
    routes.add('invite', 'a');
    routes.add('invite', 'b');
    routes.add('message', 'a');
    routes.remove('invite', 'a');
    expect([routes.next('invite'), routes.next('invite'), routes.next('message')]).toEqual(['b', 'b', 'a']);
    routes.removeAll('a');
    expect(routes.verbs()).toEqual(['invite']);
    routes.removeAll('b');
    expect(routes.verbs()).toEqual([]);
  });
});
