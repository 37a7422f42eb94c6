import { format } from 'node:util';
import { type DestinationStream, type LogFn, type Logger, type LoggerOptions, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Config } from './config-schema.ts';
import { scrubText, scrubValue } from './scrub.ts';

export type { Logger } from 'pino';

/** What pino's methods take: an object first or not, then a message with its values. */
type LogArguments = Parameters<LogFn>;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** An object's fields without secrets; what scrubs to no object goes under `value`. */
function scrubFields(fields: object): Record<string, unknown> {
  const clean = scrubValue(fields);
  return isObject(clean) && !Array.isArray(clean) ? { ...clean } : { value: clean };
}

/** One message of text and values; put together first, so that "PIN %s" and its digits are scrubbed as one. */
function message(parts: readonly unknown[]): string {
  return scrubText(format(...parts.map((part) => (isObject(part) ? scrubValue(part) : part))));
}

/** The arguments of a log call with the message finished; `formatters.log` scrubs the object. */
function finish(args: readonly unknown[]): [object, string?] | [string] {
  const [first, ...rest] = args;
  if (!isObject(first)) return [message(first === undefined ? rest : args)];
  if (first instanceof Error) return [{ err: first }, message(rest.length === 0 ? [first.message] : rest)];
  return rest.length === 0 ? [first] : [first, message(rest)];
}

const OPTIONS: LoggerOptions = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  // Errors arrive as plain scrubbed objects, which pino's own serialiser would write over.
  serializers: { err: (error) => error },
  formatters: {
    level: (level) => ({ level }),
    bindings: scrubFields,
    log: scrubFields,
  },
  hooks: {
    logMethod(args, method) {
      method.apply(this, finish(args) as unknown as LogArguments);
    },
  },
};

/** pino hands the bindings of child loggers to no formatter, so they are scrubbed on the way in. */
function scrubChildren(logger: Logger): Logger {
  const { child, setBindings } = logger;
  return Object.assign(logger, {
    child(this: Logger, bindings: object, options?: object) {
      return child.call(this, scrubFields(bindings), options as never);
    },
    setBindings(this: Logger, bindings: object) {
      setBindings.call(this, scrubFields(bindings));
    },
  });
}

function isTerminal(destination: DestinationStream): boolean {
  return (destination as Partial<NodeJS.WriteStream>).isTTY === true;
}

function prettyStream(destination: DestinationStream): DestinationStream {
  const prettify = prettyFactory({
    colorize: isTerminal(destination),
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return { write: (line) => void destination.write(prettify(line)) };
}

/**
 * The process's logger: JSON lines, or text for people on a terminal. Every line, from every level and child, is
 * scrubbed of secrets (see scrub.ts) before it is written.
 */
export function createLogger(config: Config['log'], destination: DestinationStream = process.stdout): Logger {
  const forPeople = config.pretty === 'always' || (config.pretty === 'auto' && isTerminal(destination));
  const stream = forPeople ? prettyStream(destination) : destination;
  return scrubChildren(pino({ ...OPTIONS, level: config.level }, stream));
}

const CONSOLE_LEVELS = {
  log: 'info',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  warn: 'warn',
  error: 'error',
} as const;

/**
 * Sends what libraries print with `console` through the logger: drachtio-srf prints messages it cannot parse as they
 * came, passcodes included. Returns a function that gives the console back.
 */
export function captureConsole(logger: Logger, target: Console = globalThis.console): () => void {
  const methods = Object.keys(CONSOLE_LEVELS) as (keyof typeof CONSOLE_LEVELS)[];
  const before = Object.fromEntries(methods.map((method) => [method, target[method]]));
  const printer =
    (level: (typeof CONSOLE_LEVELS)[keyof typeof CONSOLE_LEVELS]) =>
    (...parts: unknown[]) => {
      const text = parts.map((part) => (part instanceof Error ? (part.stack ?? part.message) : part));
      logger[level]({ source: 'console' }, ...(text as [string]));
    };
  Object.assign(
    target,
    Object.fromEntries(methods.map((method) => [method, printer(CONSOLE_LEVELS[method])])),
  );
  return () => void Object.assign(target, before);
}
