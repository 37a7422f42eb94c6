import { afterEach, beforeEach } from 'vitest';
import { PHONES } from './demo.ts';
import { ADMIN_TOKEN, type ApiAnswer, type Hotdesk } from './hotdesk.ts';

/** An administrator at work on hosts, guests and licences, who leaves everything as it was after each test. */
export class Administrator {
  readonly #hotdesk: () => Hotdesk;

  constructor(hotdesk: () => Hotdesk) {
    this.#hotdesk = hotdesk;
  }

  get(path: string): Promise<ApiAnswer> {
    return this.#hotdesk().api(`/api/v1${path}`);
  }

  change(path: string, json: object): Promise<ApiAnswer> {
    return this.#hotdesk().api(`/api/v1${path}`, { method: 'PATCH', json });
  }

  /** Connects a guest to a host without touching the phone. */
  connect(extension: string, host: string): Promise<ApiAnswer> {
    const path = `/api/v1/users/${extension}/association`;
    return this.#hotdesk().api(path, { method: 'PUT', json: { host } });
  }

  disconnect(extension: string): Promise<ApiAnswer> {
    return this.#hotdesk().api(`/api/v1/users/${extension}/association`, { method: 'DELETE' });
  }

  release(host: string): Promise<ApiAnswer> {
    return this.#hotdesk().api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
  }

  /** Ids of the hosts a guest is offered. */
  async offered(extension: string, query = ''): Promise<string[]> {
    const { body } = await this.get(`/users/${extension}/hosts${query}`);
    return body.hosts.map(({ id }: { id: string }) => id);
  }

  /** A change that must be taken. @throws Error with the answer when it is not */
  async must(answer: Promise<ApiAnswer>): Promise<ApiAnswer> {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return answer;
  }
}

/** For all tests of a file; call after `useHotdesk`. */
export function useAdministrator(hotdesk: () => Hotdesk): Administrator {
  const administrator = new Administrator(hotdesk);
  let before = '';
  beforeEach(async () => {
    before = (await hotdesk().api('/api/v1/directory')).body;
  });
  afterEach(async () => {
    for (const host of Object.values(PHONES)) await administrator.release(host);
    const response = await fetch(`${hotdesk().http}/api/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
      body: before,
    });
    if (response.status !== 204) throw new Error(`the directory could not be put back: ${response.status}`);
  });
  return administrator;
}
