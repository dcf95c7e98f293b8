import type { Context } from 'hono'
import { UnreadableInput } from '../base/input.ts'
import type { Refusal } from '../base/refusal.ts'
import { isWellEncoded } from './encoding.ts'
import { isJson, isUtf8, mediaTypeOf } from './media-type.ts'

/**
 * An unchecked input of a client. Its type fits the input of every operation, and each of them checks it.
 */
export type Unchecked = never

/** The largest accepted body, in bytes. */
const LARGEST_BODY = 64 * 1024

/**
 * Reads a JSON body. A body that is absent, broken or of another type is returned as {@link
 * UnreadableInput}, which is refused after authentication and access. A body that is too large is not
 * read to its end.
 *
 * The type must be JSON: a browser sends it to another site only after a preflight, which keeps out the
 * forms of other sites.
 */
export async function readBody(c: Context): Promise<Unchecked> {
  return (await readJson(c)) as Unchecked
}

async function readJson(c: Context): Promise<unknown> {
  const header = c.req.header('content-type')
  const type = header === undefined ? null : mediaTypeOf(header)
  if (type && !isJson(type)) return new UnreadableInput({ code: 'unsupported_media_type' })
  if (type && !isUtf8(type)) return new UnreadableInput({ code: 'invalid_json' })
  const text = await readText(c.req.raw, 'invalid_json')
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

/** Returns why an input could not be read; null if it could. */
export function refusalOf(input: unknown): Refusal | null {
  return input instanceof UnreadableInput ? input.refusal : null
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
  invalid: 'invalid_json' | 'invalid_encoding'
): Promise<string | UnreadableInput> {
  const tooLarge = new UnreadableInput({ code: 'payload_too_large' })
  if (Number(headers.get('content-length')) > LARGEST_BODY) return tooLarge
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > LARGEST_BODY) return tooLarge
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
