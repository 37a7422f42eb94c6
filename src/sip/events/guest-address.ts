import type { Directory } from '../../domain/directory.ts';

/**
 * Extension a phone means by `1001`, `1001@domain`, `sip:1001@domain` or a direct number. What is nobody's comes back as
 * it was typed, without what stands around it.
 */
export function guestExtension(address: string, directory: Directory | undefined): string {
  const user = address
    .trim()
    .replace(/^(?:sips?|tel):/i, '')
    .split(/[@;?]/, 1)[0]!
    .replace(/%2b/gi, '+')
    .replace(/[\s().-]/g, '');
  if (!directory || directory.users.has(user)) return user;
  const { index } = directory;
  return (index.userByNumber(user) ?? index.userByNumber(`+${user}`))?.extension ?? user;
}
