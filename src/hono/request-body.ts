import type { Context, MiddlewareHandler } from 'hono'
import { UnreadableInput } from '../base/input.ts'
import type { BodyRefusal, RefusalOf } from '../base/result.ts'
import { RefusalException } from './problem.ts'

/**
 * An unchecked input of a client. Its type fits the input of every operation, and each of them checks it.
 */
export type Unchecked = never

/** The largest accepted body in bytes, unless a route accepts more. */
const LARGEST_BODY = 64 * 1024

/**
 * Reads a JSON body. A body that is absent, broken or of another type is returned as {@link
 * UnreadableInput}, which is refused after authentication and access. A body that is too large is not
 * read to its end.
 *
 * The type must be JSON: a browser sends it to another site only after a preflight, which keeps out the
 * forms of other sites.
 */
export async function readBody(c: Context, largest = LARGEST_BODY): Promise<Unchecked> {
  return (await readJson(c, largest)) as Unchecked
}

async function readJson(c: Context, largest: number): Promise<unknown> {
  const header = c.req.header('content-type')
  const type = header === undefined ? null : mediaTypeOf(header)
  if (type && !isJson(type)) return new UnreadableInput({ code: 'unsupported_media_type' })
  if (type && !isUtf8(type)) return new UnreadableInput({ code: 'invalid_json' })
  const text = await readText(c.req.raw, 'invalid_json', largest)
  if (text instanceof UnreadableInput) return text
  if (!type && text !== '') return new UnreadableInput({ code: 'unsupported_media_type' })
  try {
    return JSON.parse(text)
  } catch {
    return new UnreadableInput({ code: 'invalid_json' })
  }
}

/** Reads a body of `text/csv`, with the same errors as {@link readBody}. */
export async function readCsv(c: Context): Promise<unknown> {
  const type = mediaTypeOf(c.req.header('content-type') ?? '')
  if (type.essence !== 'text/csv') return new UnreadableInput({ code: 'unsupported_media_type' })
  if (!isUtf8(type)) return new UnreadableInput({ code: 'invalid_encoding' })
  return readText(c.req.raw, 'invalid_encoding')
}

/** Returns why a body could not be read; null if it could. */
export function refusalOf(body: unknown): RefusalOf<BodyRefusal> | null {
  return body instanceof UnreadableInput ? (body.refusal as RefusalOf<BodyRefusal>) : null
}

/** Whether the body is a form, by its type. */
export function isForm(c: Context): boolean {
  const { essence } = mediaTypeOf(c.req.header('content-type') ?? '')
  return essence === 'application/x-www-form-urlencoded'
}

/**
 * Reads the fields of a form, the last value of each, with the same errors as {@link readBody}.
 */
export async function readForm(c: Context): Promise<unknown> {
  const unreadable = new UnreadableInput({ code: 'invalid_encoding' })
  if (!isUtf8(mediaTypeOf(c.req.header('content-type') ?? ''))) return unreadable
  const text = await readText(c.req.raw, 'invalid_encoding')
  if (text instanceof UnreadableInput) return text
  return isWellEncoded(text) ? Object.fromEntries(new URLSearchParams(text)) : unreadable
}

async function readText(
  { headers, body }: Request,
  invalid: 'invalid_json' | 'invalid_encoding',
  largest = LARGEST_BODY
): Promise<string | UnreadableInput> {
  const tooLarge = new UnreadableInput({ code: 'payload_too_large' })
  if (Number(headers.get('content-length')) > largest) return tooLarge
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > largest) return tooLarge
    chunks.push(chunk)
  }
  return decoded(chunks) ?? new UnreadableInput({ code: invalid })
}

// Fatal, because replacing invalid bytes by U+FFFD would store another text, or make different passwords
// equal.
function decoded(chunks: readonly Uint8Array[]): string | null {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  try {
    const parts = chunks.map((chunk) => decoder.decode(chunk, { stream: true }))
    return parts.join('') + decoder.decode()
  } catch {
    return null
  }
}

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
function isWellEncoded(text: string): boolean {
  return (text.match(/(?:%[0-9a-f]{2})+/gi) ?? []).every(decodesToUtf8)
}

function decodesToUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped)
    return true
  } catch {
    return false
  }
}

/** The parts of a `Content-Type`, in lower case; `charset` is null if the header has no charset. */
export interface MediaType {
  readonly essence: string
  readonly charset: string | null
}

/** Reads a `Content-Type` header. */
function mediaTypeOf(header: string): MediaType {
  const [essence = '', ...parameters] = header.toLowerCase().split(';')
  const charsets = parameters.flatMap((parameter) => {
    const [, charset] = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter) ?? []
    return charset === undefined ? [] : [charset]
  })
  // Contradicting charsets count as an unknown one.
  const [charset = null] = charsets
  return {
    essence: essence.trim(),
    charset: charsets.every((other) => other === charset) ? charset : charsets.join(' '),
  }
}

/** Whether this is `application/json`, or another type that is written in JSON (RFC 6839). */
function isJson({ essence }: MediaType): boolean {
  return /^application\/(?:[\w!#$&^.-]+\+)?json$/.test(essence)
}

/** Whether text of this type is UTF-8: the only encoding of JSON (RFC 8259). */
function isUtf8({ charset }: MediaType): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8'
}
