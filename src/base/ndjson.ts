const SEPARATORS = /[\u0085\u2028\u2029]/g

/**
 * Formats a value as a line of NDJSON. The line ends with a line feed; other characters at which some
 * readers end a line (U+0085, U+2028, U+2029) are escaped.
 */
export function ndjsonLine(value: object): string {
  return `${JSON.stringify(value).replace(SEPARATORS, escaped)}\n`
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
