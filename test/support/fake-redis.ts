import { createServer, type Socket } from 'node:net';

type Reply = string | number | null | Error | readonly Reply[];

/** Something that speaks as much of RESP2 as a test needs. */
export interface FakeRedis {
  readonly port: number;
  readonly address: string;
  /** Every command it got, with its arguments. */
  readonly heard: string[][];
  stop(): Promise<void>;
}

/** Answers each command by name, in capitals; what has no answer gets OK. `undefined`: no answer, ever. */
export async function startFakeRedis(
  answer: (command: readonly string[]) => Reply | undefined = () => 'OK',
): Promise<FakeRedis> {
  const heard: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('utf8');
      for (let parsed = parse(text); parsed !== undefined; parsed = parse(text)) {
        text = text.slice(parsed.length);
        heard.push(parsed.command);
        const reply = answer(parsed.command);
        if (reply !== undefined) socket.write(encode(reply));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    ...{ port, address: `127.0.0.1:${port}`, heard },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The first whole command of a text of ASCII arguments. */
function parse(text: string): { command: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const command: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return undefined;
    command.push(text.slice(at, end));
    at = end + 2;
  }
  return { command: [command[0]!.toUpperCase(), ...command.slice(1)], length: at };
}

function encode(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if (reply instanceof Error) return `-${reply.message}\r\n`;
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (typeof reply === 'string') return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join('')}`;
}
