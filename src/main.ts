import { writeFile } from 'node:fs/promises';
import { type Config, readConfig } from './config.ts';
import { exampleYaml } from './config-example.ts';
import { captureConsole, createLogger, type Logger } from './log.ts';
import { ensurePackages } from './os-packages.ts';

/** What the process ends with: supervisors restart after 1 and should not after 2. */
const EXIT = { ok: 0, broken: 1, badConfiguration: 2 } as const;
/** More than the 9 s in which a ringing emergency call may still be answered. */
const STOP_LIMIT_MS = 14_000;
const EXAMPLE = new URL('../config/hotdesk.example.yaml', import.meta.url);
const USAGE = 'Usage: npm start | npm run config:check FILE | npm run config:example';

interface Running {
  stop(): Promise<void>;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** `--check FILE`: `ok`, or each problem on a line. The environment is left out: the file must stand by itself. */
async function check(file: string): Promise<number> {
  const loaded = await readConfig({ HOTDESK_CONFIG: file });
  if ('config' in loaded) say('ok');
  else complain(loaded.problems);
  return 'config' in loaded ? EXIT.ok : EXIT.broken;
}

/**
 * A rejection nobody awaited belongs to one call: it is logged, and the other calls go on. After an exception nobody
 * caught nothing is known about any call; the process ends, and a supervisor starts it again. What was acknowledged
 * is in the store, and the audio of calls flows past us.
 */
function watch(logger: Logger): void {
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'a rejection nobody handled'));
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an exception nobody caught: ending');
    process.exit(EXIT.broken);
  });
}

async function stopWithin(server: Running, logger: Logger): Promise<number> {
  const timer = setTimeout(() => {
    logger.error({ limitMs: STOP_LIMIT_MS }, 'could not stop in time');
    process.exit(EXIT.broken);
  }, STOP_LIMIT_MS);
  try {
    await server.stop();
    return EXIT.ok;
  } catch (error) {
    logger.error({ err: error }, 'stopping failed');
    return EXIT.broken;
  } finally {
    clearTimeout(timer);
  }
}

/** The first signal stops in order; a second one ends at once. */
function stopOnSignals(server: Running, logger: Logger): void {
  let isStopping = false;
  const onSignal = (signal: string) => {
    if (isStopping) process.exit(EXIT.broken);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    void stopWithin(server, logger).then((code) => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, onSignal);
}

/** Without redis-server Hotdesk starts all the same: emergency calls need no store. */
async function ensureRedis(config: Config, logger: Logger): Promise<void> {
  if (config.redis.url !== undefined) return;
  const sentence = await ensurePackages([{ binary: 'redis-server', package: 'redis-server' }], say);
  if (sentence !== undefined) logger.warn(sentence);
}

async function serve(config: Config, logger: Logger): Promise<void> {
  await ensureRedis(config, logger);
  const { createServer } = await import('./server.ts');
  const server = createServer({ config, logger });
  stopOnSignals(server, logger);
  await server.start();
  say(server.summary());
}

async function start(): Promise<void> {
  const loaded = await readConfig();
  if ('problems' in loaded) {
    complain(['The configuration is not valid:', ...loaded.problems.map((problem) => `  ${problem}`)]);
    process.exit(EXIT.badConfiguration);
  }
  const logger = createLogger(loaded.config.log);
  captureConsole(logger);
  watch(logger);
  try {
    await serve(loaded.config, logger);
  } catch (error) {
    logger.debug({ err: error }, 'why it could not start');
    logger.fatal(`Could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(EXIT.broken);
  }
}

async function main([option, file, ...rest]: readonly string[]): Promise<void> {
  if (option === undefined) return start();
  if (option === '--check' && file !== undefined && rest.length === 0) process.exit(await check(file));
  if (option === '--write-example' && file === undefined) return writeFile(EXAMPLE, exampleYaml());
  complain([USAGE]);
  process.exit(EXIT.badConfiguration);
}

await main(process.argv.slice(2));
