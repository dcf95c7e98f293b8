/** A text about tables without their prefix, so that a trace does not change with it. */
export function withoutPrefix(text: string): string {
  return text.replaceAll(/\bseatgate_/g, '')
}

/** What happened, as a hash, and as lines where somebody wants to read it. */
export interface Trace {
  note(line: string): void
  readonly lines: readonly string[]
  hash(): string
}

export function createTrace(now: () => number, keepLines: boolean): Trace {
  const lines: string[] = []
  const began = now()
  let high = 0x811c9dc5
  let low = 0x1b873593
  return {
    lines,
    note(line) {
      const whole = `${now() - began} ${withoutPrefix(line)}`
      for (let at = 0; at < whole.length; at++) {
        const code = whole.charCodeAt(at)
        high = Math.imul(high ^ code, 0x01000193)
        low = Math.imul(low ^ (code + at), 0x85ebca6b) ^ (low >>> 13)
      }
      if (keepLines) lines.push(whole)
    },
    hash: () => [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join(''),
  }
}
