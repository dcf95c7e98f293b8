/**
 * Takes apart the statements that guard a batch: guards that follow each other are sent as one.
 *
 * @module
 */

/** A guard as its query, with the parameters of that. */
export interface SentGuard {
  readonly query: string
  readonly params: readonly unknown[]
}

const GUARD = /^insert into "seatgate_guards" \("code"\) /
const JOINED = /^select code from \(select coalesce\(([^]*)\) as code\) where code is not null$/

/** Returns the guards of a statement in their order; none for another statement. */
export function guardsIn(text: string, params: readonly unknown[] = []): readonly SentGuard[] {
  const sql = text.replace(/\s+/g, ' ')
  if (!GUARD.test(sql)) return []
  const query = sql.replace(GUARD, '')
  const joined = JOINED.exec(query)?.[1]
  if (joined === undefined) return [{ query, params }]
  let from = 0
  return partsOf(joined).map((part) => {
    const count = part.split('?').length - 1
    from += count
    return { query: part, params: params.slice(from - count, from) }
  })
}

// The arguments of the function, each in parentheses. No text of a guard has one in quotes.
function partsOf(joined: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let begin = 0
  for (let at = 0; at < joined.length; at++) {
    if (joined[at] === '(' && depth++ === 0) begin = at + 1
    if (joined[at] === ')' && --depth === 0) parts.push(joined.slice(begin, at))
  }
  return parts
}
