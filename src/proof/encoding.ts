/**
 * Text that is stored or hashed. Half of a surrogate pair has no UTF-8, and a store and a hash would each
 * replace it differently.
 *
 * @module
 */

/** Whether a text has no half of a surrogate pair, so that it survives UTF-8. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

/**
 * Cuts a text to a number of code points, and replaces each half of a surrogate pair by U+FFFD. Use it
 * for every text that is shortened before it is stored or hashed.
 *
 * @example
 * ```ts
 * shortened('💺💺💺', 2) // '💺💺'
 * ```
 */
export function shortened(text: string, most: number): string {
  // A code point has at most two code units.
  const points = Array.from(text.slice(0, most * 2)).slice(0, most)
  return points.join('').toWellFormed()
}

/** Encodes bytes as base64, with padding. */
export function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

/** Decodes base64. Returns null for other text, and for any encoding but the canonical one. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    return base64(bytes) === text ? bytes : null
  } catch {
    return null
  }
}

/** Encodes bytes as base64url, without padding. */
export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Decodes base64url. Returns null for other text. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]*$/.test(text)) return null
  const padding = '='.repeat((4 - (text.length % 4)) % 4)
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/') + padding)
}

/**
 * Writes JSON in the canonical form of RFC 8785: members sorted by name, no spaces. Equal values have
 * equal texts and so equal hashes. Members that are undefined are left out.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 *
 * @example
 * ```ts
 * canonicalJson({ b: 1, a: [true, null] }) // '{"a":[true,null],"b":1}'
 * ```
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** Returns the SHA-256 of a text's UTF-8 bytes, in lower-case hex. */
export async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
