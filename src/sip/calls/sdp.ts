/** Who answers so might take another description (RFC 3261 21.4.26). */
export const NOT_ACCEPTABLE: ReadonlySet<number> = new Set([415, 488, 606]);

/** Undoes hold in a session description that is offered to somebody new: the transferred party should be heard. */
export function unheld(sdp: string): string {
  return sdp.replace(/^a=(sendonly|recvonly|inactive)(?=\r?$)/gm, 'a=sendrecv');
}

/** Whether two descriptions of one party lead to the same place: connection and media lines. */
export function sameMedia(a: string, b: string): boolean {
  const lines = (sdp: string): string =>
    (sdp.match(/^(c=|m=\S+ \d+).*$/gm) ?? []).map((line) => line.split(' RTP')[0]).join();
  return lines(a) === lines(b);
}
