/** Final answers that mean the same to the other side of a B2BUA and need no header of their own. */
const MEANINGFUL = new Set([
  400, 402, 403, 404, 405, 406, 408, 410, 415, 480, 481, 482, 483, 484, 485, 486, 487, 488, 491, 493, 500,
  501, 502, 503, 504, 505, 580, 600, 603, 604, 606,
]);

/**
 * The failure to show for one side's failure on the other. A challenge is ours to answer, never the caller's
 * (CVE-2021-41158); a redirect or a strange 2xx is nothing the caller could follow; what is not understood becomes
 * x00 of its class (RFC 3261 8.1.3.2). drachtio-srf throws on numbers it does not know.
 */
export function passedOn(status: number): number {
  if (status === 401 || status === 407) return 502;
  // RFC 5626 5.3: the phone's own connection is gone, which is to the caller a phone that cannot be reached.
  if (!(status >= 400) || status === 430) return 480;
  return MEANINGFUL.has(status) ? status : Math.min(Math.floor(status / 100), 6) * 100;
}
