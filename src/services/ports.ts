/** What services need from outside, given to them so that tests own time, chance and output. */

export interface Clock {
  /** ms since 1970. */
  now(): number;
}

export interface Timers {
  /** Runs once after `ms`, unless cancelled. */
  setTimer(ms: number, run: () => void): { cancel(): void };
}

export interface Random {
  /** RFC 9562 version 4. */
  uuid(): string;
}

export interface Log {
  info(data: object, text: string): void;
  warn(data: object, text: string): void;
  error(data: object, text: string): void;
}
