import type { MiddlewareHandler } from 'hono'
import { RefusalException } from './problem.ts'

/**
 * Refuses a request whose query does not decode to UTF-8 (`invalid_encoding`). Hono passes such a part on
 * as it is, and other readers replace it by U+FFFD: each would search for a text that was not sent. In a
 * path it matches no name, and gets the response of a missing resource.
 */
export const requireWellEncoded: MiddlewareHandler = async (c, next) => {
  const { search } = new URL(c.req.url)
  if (!isWellEncoded(search)) throw new RefusalException({ code: 'invalid_encoding' })
  await next()
}

/** Whether the bytes that are written as `%E9` are UTF-8. A percent sign alone stands for itself. */
export function isWellEncoded(text: string): boolean {
  return (text.match(/(?:%[0-9a-f]{2})+/gi) ?? []).every(isUtf8)
}

function isUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped)
    return true
  } catch {
    return false
  }
}
