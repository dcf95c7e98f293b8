import type { Context } from 'hono'
import { UnreadableInput } from '../input.ts'

/** The largest body that is read, in bytes. */
export const LARGEST_BODY = 64 * 1024

/**
 * Reads a JSON body. One that is absent or broken comes as {@link UnreadableInput}, to be refused
 * when it is the input's turn. One that is too large is not read to its end.
 */
export async function readBody(c: Context): Promise<unknown> {
  const text = await readText(c.req.raw)
  if (text === null) return new UnreadableInput({ code: 'payload_too_large' })
  try {
    return JSON.parse(text)
  } catch {
    return new UnreadableInput({ code: 'invalid_json' })
  }
}

/** Reads the fields of a form, each one's last value; too large a one as {@link readBody} does. */
export async function readForm(c: Context): Promise<unknown> {
  const text = await readText(c.req.raw)
  if (text === null) return new UnreadableInput({ code: 'payload_too_large' })
  return Object.fromEntries(new URLSearchParams(text))
}

async function readText({ headers, body }: Request): Promise<string | null> {
  if (Number(headers.get('content-length')) > LARGEST_BODY) return null
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > LARGEST_BODY) return null
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
