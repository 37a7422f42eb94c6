import { ApiError, friendly } from './client.ts';

/** What the server says about single fields, for the places where they are typed. */

export interface Mistakes {
  /** By path in the body, such as `address.postcode`. */
  readonly fields: Readonly<Record<string, string>>;
  /** About everything else, or the whole; '' when the fields say it all. */
  readonly rest: string;
}

export const NO_MISTAKES: Mistakes = { fields: {}, rest: '' };

/**
 * Takes an error apart. `isField`: whether the form has a place for this path; what has none is said in a sentence.
 */
export function mistakesIn(error: unknown, isField: (path: string) => boolean): Mistakes {
  const listed = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const { path, message } of listed) {
    const inBody = path.replace(/^body\.?/, '');
    if (!isField(inBody)) others.push(message === '' ? inBody : sentence(inBody, message));
    else fields[inBody] ??= capital(message);
  }
  if (listed.length === 0) return { fields, rest: friendly(error) };
  return { fields, rest: others.join(' ') };
}

/** Those below a path, by what follows it: `address` gives `{ postcode: … }`. */
export function below(fields: Readonly<Record<string, string>>, path: string): Record<string, string> {
  const prefix = `${path}.`;
  const found = Object.entries(fields).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, message]) => [name.slice(prefix.length), message]));
}

function capital(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

function sentence(path: string, message: string): string {
  const [last = ''] = path.split('.').slice(-1);
  return `${capital(last === '' ? message : `${last}: ${message}`)}.`;
}
