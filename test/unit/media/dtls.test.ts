import { describe, expect, test } from 'vitest';
import { newIdentity } from '../../../src/media/webrtc/certificate.ts';
import { writeMessage } from '../../../src/media/webrtc/dtls/reassembly.ts';
import { RECORD, RecordWriter, readRecords } from '../../../src/media/webrtc/dtls/record.ts';
import { DtlsServer, type SrtpKeys } from '../../../src/media/webrtc/dtls/server.ts';
import { DtlsClient, type DtlsClientOptions } from '../../support/dtls-client.ts';

/** The DTLS server against a client that is honest, clumsy, or neither. */

const identity = newIdentity(Date.UTC(2026, 0, 1));

function bench(options: DtlsClientOptions = {}) {
  const client = new DtlsClient(options);
  const seen = { sent: [] as Buffer[], keys: [] as SrtpKeys[], closed: 0, ends: [] as string[] };
  const server = new DtlsServer({
    identity,
    believes: (certificate) => certificate.equals(client.identity.certificate),
    send: (datagram) => void seen.sent.push(datagram),
    onKeys: (keys) => void seen.keys.push(keys),
    onClose: () => void seen.closed++,
    onEnd: (why) => void seen.ends.push(why),
  });
  const push = (records: readonly Buffer[]): void => {
    for (const record of records) server.receive(record);
  };
  /** What the server has sent since, to the client. */
  const back = (): void => {
    for (const datagram of seen.sent.splice(0)) client.hear(datagram);
  };
  const connect = (spoil = (records: Buffer[]): readonly Buffer[] => records): void => {
    push(spoil(client.hello()));
    back();
    if (!client.isGreeted) return;
    push(spoil(client.answer()));
    back();
  };
  return { client, server, seen, push, back, connect };
}

/** Each message in pieces of `size` bytes, as if the path were that narrow. */
function inPieces(records: readonly Buffer[], size: number): Buffer[] {
  return records.flatMap((record) => {
    const [read] = readRecords(record);
    if (read?.type !== RECORD.handshake || read.epoch !== 0) return [record];
    const body = read.payload.subarray(12);
    const starts = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => index * size);
    return starts.map((at) => {
      const piece = body.subarray(at, at + size);
      const header = Buffer.from(read.payload.subarray(0, 12));
      header.writeUIntBE(at, 6, 3);
      header.writeUIntBE(piece.length, 9, 3);
      return new RecordWriter().write(RECORD.handshake, Buffer.concat([header, piece]));
    });
  });
}

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function shuffled<T>(items: readonly T[], random: (below: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(random(left.length), 1)[0] as T);
}

describe('a handshake', () => {
  test('gives both sides the same keys', () => {
    const { client, server, seen, connect } = bench();
    connect();
    expect(server.isConnected).toBe(true);
    expect(client.done).toBe(true);
    expect(seen.keys).toEqual([{ local: client.srtp?.theirs, remote: client.srtp?.mine }]);
  });

  test.each([1, 2, 3, 4, 5])('goes through in small pieces, in any order and twice (%i)', (seed) => {
    const { client, seen, connect } = bench();
    const random = randomOf(seed);
    connect((records) => {
      const pieces = inPieces(records, 1 + random(40));
      const last = pieces.splice(-1);
      return [...shuffled([...pieces, ...pieces], random), ...last];
    });
    expect(seen.ends).toEqual([]);
    expect(client.done).toBe(true);
  });

  test('our last flight was lost: the client repeats its own, and gets it again', () => {
    const { client, seen, push, back } = bench();
    push(client.hello());
    back();
    const flight = client.answer();
    push(flight);
    seen.sent.length = 0;
    push(flight);
    back();
    expect(client.done).toBe(true);
    expect(seen.keys).toHaveLength(1);
  });

  test.each([
    ['no certificate', { certificate: Buffer.alloc(0) }, 'certificate is not the one of the SDP'],
    ['another certificate', { certificate: identity.certificate }, 'certificate is not the one of the SDP'],
    ['no SRTP', { extensions: Buffer.alloc(0) }, 'nothing in common with the browser'],
  ])('with %s ends, and makes no keys', (_, options, why) => {
    const { seen, connect } = bench(options);
    connect();
    expect(seen).toMatchObject({ keys: [], ends: [why] });
  });
});

describe('once connected', () => {
  const connected = () => {
    const one = bench();
    one.connect();
    return one;
  };

  test.each([
    ['the next number', 5],
    ['a number before', 2],
    ['a number ahead', 9],
  ])(
    'a plain message with %s, from whoever writes the address of the browser, ends nothing',
    (_, sequence) => {
      const { server, seen, push } = connected();
      const forged = writeMessage({ type: 1, sequence, body: Buffer.alloc(40) });
      push([new RecordWriter().write(RECORD.handshake, forged)]);
      expect(seen.ends).toEqual([]);
      expect(server.isConnected).toBe(true);
    },
  );

  test('is not negotiated again', () => {
    const { client, server, seen, push } = connected();
    push([client.plain(client.message(1, Buffer.alloc(60)))]);
    expect(seen).toMatchObject({ ends: [], keys: [{}] });
    expect(server.isConnected).toBe(true);
  });

  test('it is closed by who has the key, and by nobody else', () => {
    const { client, seen, push } = connected();
    push([new RecordWriter().write(RECORD.alert, Buffer.from([2, 40]))]);
    expect(seen.closed).toBe(0);
    push([client.alert(1, 0)]);
    expect(seen.closed).toBe(1);
  });
});

test('spoiled in any way it makes the right keys or none', () => {
  const random = randomOf(20_26);
  for (let round = 0; round < 300; round++) {
    const { client, server, seen, push, connect } = bench();
    connect((records) => {
      const spoiled = inPieces(records, 20 + random(200)).flatMap((record) => spoil(record, random));
      return shuffled(spoiled, (below) => (random(4) === 0 ? random(below) : 0));
    });
    push(Array.from({ length: 5 }, () => Buffer.from(Array.from({ length: random(80) }, () => random(256)))));
    for (const { remote } of seen.keys) expect(remote).toEqual(client.srtp?.mine);
    expect(seen.keys.length).toBeLessThanOrEqual(1);
    expect(seen.ends.length).toBeLessThanOrEqual(1);
    expect(server.isConnected).toBe(seen.keys.length === 1 && seen.ends.length === 0);
  }
});

/** As it is, cut, twice, or with a byte changed. */
function spoil(record: Buffer, random: (below: number) => number): Buffer[] {
  const copy = Buffer.from(record);
  switch (random(12)) {
    case 0:
      return [copy.subarray(0, random(copy.length))];
    case 1:
      return [copy, copy];
    case 2:
      copy[random(copy.length)] = random(256);
      return [copy];
    case 3:
      return [];
    default:
      return [copy];
  }
}
