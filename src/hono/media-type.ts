/** The parts of a `Content-Type`, in lower case; `charset` is null if there is none. */
export interface MediaType {
  readonly essence: string
  readonly charset: string | null
}

/** Reads a `Content-Type` header. */
export function mediaTypeOf(header: string): MediaType {
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
export function isJson({ essence }: MediaType): boolean {
  return /^application\/(?:[\w!#$&^.-]+\+)?json$/.test(essence)
}

/** Whether text of this type is UTF-8: the only encoding of JSON (RFC 8259). */
export function isUtf8({ charset }: MediaType): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8'
}
