/** A browser as far as signing in needs one: it keeps cookies, and says where its page is from. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrf = '';
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, headers: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' }) {
    this.#base = base;
    this.#headers = headers;
  }

  async ask(method: string, path: string, json?: unknown, more: Readonly<Record<string, string>> = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${this.#base}/api/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...this.#headers,
        ...(cookie && { cookie }),
        ...(this.csrf && { 'x-csrf-token': this.csrf }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const setCookies = response.headers.getSetCookie();
    for (const text of setCookies) this.#keep(text);
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: what a test asserts on is the test's business
    const body: any = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, setCookies, body };
  }

  /** Signs in and fetches what changes need. @throws Error when it is refused */
  async signIn(email: string, password: string, code?: string): Promise<void> {
    const answer = await this.ask('POST', '/session', {
      email,
      password,
      ...(code !== undefined && { code }),
    });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    await this.refresh();
  }

  async refresh(): Promise<void> {
    this.csrf = (await this.ask('GET', '/session')).body.csrf;
  }

  /** The session's cookie. */
  get session(): string {
    return this.cookies.get('hotdesk') ?? '';
  }

  #keep(text: string): void {
    const [pair = '', ...attributes] = text.split(/; */);
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(pair) ?? [];
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
