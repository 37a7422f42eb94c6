/** Characters of the result at most: a few hundred letters of any script, and no address fills a message. */
const MAX_LENGTH = 400;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Any text as XML character data or attribute value, in ASCII: control characters count as blanks, blanks are folded,
 * what XML 1.0 cannot hold becomes U+FFFD, and it ends before it gets too long.
 */
export function xmlText(text: string): string {
  const blanks = text.slice(0, MAX_LENGTH).replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ');
  let result = '';
  for (const character of blanks.trim()) {
    const escaped = reference(character);
    if (result.length + escaped.length > MAX_LENGTH) break;
    result += escaped;
  }
  return result.trimEnd();
}

function reference(character: string): string {
  const code = character.codePointAt(0) ?? 0xfffd;
  if (code < 0x7f) return ENTITIES[character] ?? character;
  const isNone = (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff;
  return `&#x${(isNone ? 0xfffd : code).toString(16).toUpperCase()};`;
}
