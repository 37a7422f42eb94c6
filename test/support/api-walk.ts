import { expect } from 'vitest';
import { ApiContract, type Document, type Sent } from './api-contract.ts';
import type { Browser } from './browser.ts';
import { ADMIN_TOKEN, type Hotdesk } from './hotdesk.ts';

/** A walk through the OpenAPI document: calls what it describes, holds each answer to it, and knows what was left out. */

export interface Given {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless `type` says otherwise. */
  readonly body?: unknown;
  readonly type?: string;
  /** Absent: whoever has the administrator's token. */
  readonly as?: Browser | 'nobody';
  /** Reads an answer that does not end by itself, up to where this is true of it. */
  readonly until?: (text: string) => boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test asserts on is the test's business
  readonly body: any;
}

export class ApiWalk {
  readonly #hotdesk: () => Hotdesk;
  readonly #called = new Set<string>();
  #contract: ApiContract | undefined;

  constructor(hotdesk: () => Hotdesk) {
    this.#hotdesk = hotdesk;
  }

  get hotdesk(): Hotdesk {
    return this.#hotdesk();
  }

  async contract(): Promise<ApiContract> {
    if (!this.#contract) {
      const answer = await fetch(`${this.hotdesk.http}/api/v1/openapi.json`);
      this.#contract = new ApiContract((await answer.json()) as Document);
    }
    return this.#contract;
  }

  /** Operations nobody has called with what they take. */
  async left(): Promise<string[]> {
    const { operations } = await this.contract();
    return [...operations.keys()].filter((name) => !this.#called.has(name));
  }

  /**
   * Calls an operation, such as `PATCH /hosts/{id}`, with what the document says it takes; it must be done, and answered
   * as the document says.
   */
  async call(name: string, given: Given = {}): Promise<Answer> {
    const contract = await this.contract();
    const sent = sentOf(given);
    expect(contract.ofRequest(name, sent), `${name}: the request`).toEqual([]);
    return this.answered(name, await this.ask(name, given));
  }

  /** Holds the answer of an operation that was done to what the document says of it. */
  async answered(name: string, answer: Answer): Promise<Answer> {
    const contract = await this.contract();
    const { status, body } = answer;
    expect(status, `${name}: ${JSON.stringify(body)}`).toBeLessThan(400);
    const { responses } = contract.operations.get(name) ?? { responses: {} };
    expect(Object.keys(responses), `${name}: its own status`).toContain(String(status));
    expect(contract.ofAnswer(name, answer), `${name}: the answer`).toEqual([]);
    this.#called.add(name);
    return answer;
  }

  /** Calls it with what it refuses, with this reason. */
  async refused(name: string, reason: string, given: Given = {}): Promise<Answer> {
    const answer = await this.ask(name, given);
    expect(answer.body, name).toMatchObject({ reason, status: answer.status });
    expect((await this.contract()).ofAnswer(name, answer), `${name}: the refusal`).toEqual([]);
    return answer;
  }

  /** Whatever becomes of it. */
  async ask(name: string, given: Given = {}): Promise<Answer> {
    const { path, query, headers, type, body } = sentOf(given);
    const [method = '', template = ''] = name.split(' ');
    const place = template.replace(/\{(\w+)\}/g, (_, one: string) => encodeURIComponent(path[one] ?? 'x'));
    const search = Object.keys(query).length > 0 ? `?${new URLSearchParams({ ...query })}` : '';
    const { as, until } = given;
    if (as instanceof Object) {
      return as.ask(method, place + search, body, headers);
    }
    const stop = new AbortController();
    const response = await fetch(`${this.hotdesk.http}${this.#prefix(name)}${place}${search}`, {
      ...{ method, redirect: 'manual', signal: stop.signal },
      headers: {
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${ADMIN_TOKEN}` }),
        ...(type === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      ...(type === undefined
        ? {}
        : { body: type === 'application/json' ? JSON.stringify(body) : String(body) }),
    });
    const text = until ? await readUntil(response, until) : await response.text();
    stop.abort();
    const answerType = response.headers.get('content-type') ?? '';
    const read = /json/.test(answerType) && text !== '' ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: read };
  }

  /** Of health alone the paths stand beside the API. */
  #prefix(name: string): string {
    return name === 'GET /healthz' || name === 'GET /readyz' ? '' : '/api/v1';
  }
}

function sentOf({ path = {}, query = {}, headers = {}, body, type }: Given): Sent {
  const ofBody = body === undefined ? undefined : (type ?? 'application/json');
  return { path, query, headers, body, type: ofBody };
}

async function readUntil(response: Response, until: (text: string) => boolean): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (until(text)) break;
  }
  return text;
}
