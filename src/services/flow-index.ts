import type { Binding } from '../domain/binding.ts';

type Flow = Pick<Binding['flow'], 'address' | 'port'>;
type Flows = readonly { readonly flow: Flow }[];

/** Hosts by the flow of their bindings, live or not. */
export class FlowIndex {
  /** Nearly always one, and as a mere string a quarter of the work at the start; of several the first stands first. */
  readonly #hosts = new Map<string, string | Set<string>>();

  /** How many flows there are. */
  get size(): number {
    return this.#hosts.size;
  }

  clear(): void {
    this.#hosts.clear();
  }

  /** The bindings of a host were `before` and are `after`. */
  replace(host: string, before: Flows, after: Flows): void {
    for (const { flow } of before)
      if (!after.some((each) => isSame(each.flow, flow))) this.#leave(flow, host);
    for (const { flow } of after) this.#enter(flow, host);
  }

  hostsAt(flow: Flow): Iterable<string> {
    const there = this.#hosts.get(keyOf(flow)) ?? [];
    return typeof there === 'string' ? [there] : there;
  }

  #enter(flow: Flow, host: string): void {
    const key = keyOf(flow);
    const there = this.#hosts.get(key);
    if (there === undefined) this.#hosts.set(key, host);
    else if (typeof there !== 'string') there.add(host);
    else if (there !== host) this.#hosts.set(key, new Set([there, host]));
  }

  #leave(flow: Flow, host: string): void {
    const key = keyOf(flow);
    const there = this.#hosts.get(key);
    if (there === host) this.#hosts.delete(key);
    if (there === undefined || typeof there === 'string') return;
    there.delete(host);
    if (there.size === 0) this.#hosts.delete(key);
  }
}

function isSame(one: Flow, other: Flow): boolean {
  return one.port === other.port && one.address === other.address;
}

function keyOf({ address, port }: Flow): string {
  return `${address} ${port}`;
}
