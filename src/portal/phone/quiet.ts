import type { BodyAndContentType, SessionDescriptionHandler } from 'sip.js';

const TYPE = 'application/sdp';
/** An address that leads nowhere, and no sound either way (RFC 3264 5.1). */
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 0.0.0.0',
  's=-',
  'c=IN IP4 0.0.0.0',
  't=0 0',
  'm=audio 9 RTP/AVP 0 8',
  'a=inactive',
  '',
].join('\r\n');

/**
 * A call without sound, where server or browser have none to give: it is signalled as any other, and keys go by INFO. Better
 * than no call, above all for an emergency.
 */
export class QuietDescription implements SessionDescriptionHandler {
  close(): void {
    // There is nothing to close.
  }

  getDescription(): Promise<BodyAndContentType> {
    return Promise.resolve({ body: OFFER, contentType: TYPE });
  }

  hasDescription(contentType: string): boolean {
    return contentType === TYPE;
  }

  setDescription(): Promise<void> {
    return Promise.resolve();
  }

  sendDtmf(): boolean {
    return false;
  }
}
