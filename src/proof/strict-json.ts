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
  if (keys.has(key)) throw new SyntaxError('A key is repeated.')
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
  if (String(Number(number)) !== number) throw new SyntaxError('A number is not in canonical form.')
  return start + number.length
}

function passMark(char: string, open: (Set<string> | null)[]): void {
  if (char === '{' || char === '[') open.push(char === '{' ? new Set() : null)
  if (char === '}' || char === ']') open.pop()
  if (open.length > DEEPEST) throw new SyntaxError('Too many levels.')
}
