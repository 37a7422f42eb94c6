import type { FaceOutcome, TextPort } from '../services/ports.ts';
import { sendText, type TextDependencies } from './calls/notice.ts';

/** Texts on the displays of phones, sent down the flows they registered over. */
export class TextMessages implements TextPort {
  readonly #deps: TextDependencies;

  constructor(deps: TextDependencies) {
    this.#deps = deps;
  }

  async show(id: string, text: string): Promise<FaceOutcome> {
    const { view } = this.#deps;
    const host = (view.directory ?? view.emergencyDirectory)?.hosts.get(id);
    return host ? sendText(this.#deps, host, text) : 'nobody';
  }
}
