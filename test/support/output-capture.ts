/** Keeps what this process writes to standard output and error, and lets it through. */
export interface OutputCapture {
  text(): string;
  stop(): void;
}

export function startCapture(): OutputCapture {
  const parts: string[] = [];
  const restore = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write;
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      parts.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      return write.call(stream, chunk, ...rest);
    }) as typeof stream.write;
    return () => {
      stream.write = write;
    };
  });
  return { text: () => parts.join(''), stop: () => void restore.map((undo) => undo()) };
}
