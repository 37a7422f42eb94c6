import { describe, expect, it } from 'vitest';
import {
  cdrFrame,
  echoResponse,
  parseCommand,
  sipFrame,
} from '../../../src/sip-engine/app-protocol/commands.ts';

const TIME = /^\d\d:\d\d:\d\d\.\d{6}$/;

function tokens(payload: string): string[] {
  return payload.slice(0, payload.indexOf('\r\n')).split('|');
}

describe('first lines', () => {
  it('are split into id, type and arguments; the rest is SIP', () => {
    expect(parseCommand('m1|sip||d;from-tag=x|sip:proxy\r\nBYE sip:x SIP/2.0\r\n\r\na|b')).toEqual({
      id: 'm1',
      type: 'sip',
      args: ['', 'd;from-tag=x', 'sip:proxy'],
      sip: 'BYE sip:x SIP/2.0\r\n\r\na|b',
    });
    expect(parseCommand('m1')).toBeUndefined();
    expect(parseCommand('|ping')).toBeUndefined();
  });

  it('of a delivery have 11 tokens, of a new request 13', () => {
    const delivery = {
      source: 'network',
      text: 'X',
      size: 7,
      protocol: 'udp',
      address: '192.0.2.1',
      port: 5060,
      transactionId: 't',
      dialogId: '',
    } as const;
    expect(tokens(sipFrame(delivery))).toHaveLength(11);
    const fresh = tokens(sipFrame({ ...delivery, receivedOn: { address: '192.0.2.9', port: 5070 } }));
    expect(fresh.slice(1, 7)).toEqual(['sip', 'network', '7', 'udp', '192.0.2.1', '5060']);
    expect(fresh[7]).toMatch(TIME);
    expect(fresh.slice(8)).toEqual(['t', '', '192.0.2.9', '5070', '']);
  });

  it('of an echo tell a held CANCEL by its size', () => {
    const echo = { text: 'TEXT', protocol: 'udp', address: 'a', port: 1, transactionId: 't' };
    expect(tokens(echoResponse('m', echo))[5]).toBe('4');
    expect(tokens(echoResponse('m', { ...echo, held: true }))[5]).toBe('0');
    expect(tokens(echoResponse('m', echo)).slice(10)).toEqual(['t', 'Msg sent:', '']);
    expect(tokens(echoResponse('m', { ...echo, dialogId: 'd' })).slice(10)).toEqual([
      't',
      'd',
      '',
      'Msg sent:',
      '',
    ]);
  });

  it('of call records have no empty token at the end', () => {
    expect(tokens(cdrFrame({ type: 'attempt', source: 'network', text: 'X' }))).toHaveLength(4);
    expect(tokens(cdrFrame({ type: 'stop', source: 'network', reason: 'call-rejected', text: 'X' }))[4]).toBe(
      'call-rejected',
    );
  });
});
