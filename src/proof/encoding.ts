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

/** More levels than an export has: metadata have at most 32. */
const DEEPEST = 64

const NUMBER = /[-+.\deE]+/y
const COLON = /\s*:/y

/**
 * Parses JSON that every parser reads in the same way. Refuses an object with a duplicate key, a number
 * that JavaScript writes differently (`1e2`, `-0`, an integer that loses digits), and more than 64
 * levels.
 *
 * @throws {SyntaxError} if the text is not such JSON.
 *
 * @example
 * ```ts
 * parseStrictJson('{"a":1,"a":2}') // SyntaxError
 * ```
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const open: (Set<string> | null)[] = []
  for (let at = 0; at < text.length;) {
    const char = text[at] ?? ''
    if (char === '"') at = passString(text, at, open.at(-1) ?? null)
    else if (/[-\d]/.test(char)) at = passNumber(text, at)
    else {
      passMark(char, open)
      at += 1
    }
  }
  return value
}

// The text is valid JSON: a string that a colon follows is a key.
function passString(text: string, start: number, keys: Set<string> | null): number {
  const end = endOfString(text, start)
  COLON.lastIndex = end
  if (keys === null || !COLON.test(text)) return end
  const key = JSON.parse(text.slice(start, end)) as string
  if (keys.has(key)) throw new SyntaxError('A key is there twice.')
  keys.add(key)
  return end
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return end + 1
  }
}

function passNumber(text: string, start: number): number {
  NUMBER.lastIndex = start
  const [number = ''] = NUMBER.exec(text) ?? []
  if (String(Number(number)) !== number) throw new SyntaxError('A number is not as it is read.')
  return start + number.length
}

function passMark(char: string, open: (Set<string> | null)[]): void {
  if (char === '{' || char === '[') open.push(char === '{' ? new Set() : null)
  if (char === '}' || char === ']') open.pop()
  if (open.length > DEEPEST) throw new SyntaxError('Too many levels.')
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
