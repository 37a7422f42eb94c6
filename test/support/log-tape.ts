import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';

/** Everything a Hotdesk logged, kept in memory; and, when a whole run is searched afterwards, on disk. */
export class LogTape {
  readonly lines: string[] = [];
  readonly stream: Writable = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.lines.push(chunk.toString('utf8'));
      done();
    },
  });

  get text(): string {
    return this.lines.join('');
  }

  /** Leaves the tape and the digest responses that were used to test/run.ts, where it asks for them. */
  async keep(digestResponses: ReadonlySet<string>): Promise<void> {
    const folder = process.env.HOTDESK_E2E_TAPES;
    if (!folder) return;
    const name = randomUUID();
    await writeFile(join(folder, `${name}.log`), this.text);
    await writeFile(join(folder, `${name}.responses`), [...digestResponses].join('\n'));
  }
}
