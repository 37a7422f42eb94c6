/** Undoes hold in a session description that is offered to somebody new: the transferred party should be heard. */
export function unheld(sdp: string): string {
  return sdp.replace(/^a=(sendonly|recvonly|inactive)(?=\r?$)/gm, 'a=sendrecv');
}
