/** As it stands on the phone's label. */
export function withColons(mac: string): string {
  return mac.match(/../g)?.join(':').toUpperCase() ?? mac;
}
