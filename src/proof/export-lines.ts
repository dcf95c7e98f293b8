/** Longer than any line of an export: a row of D1 has at most 2 MB, which JSON may make six times as long. */
const LONGEST_LINE = 16 * 1024 * 1024

const LINE_FEED = 10

// Not valid JSON, so it is never taken for a line of an export.
const UNREADABLE = ''

/**
 * Splits the bytes of an NDJSON export into lines for {@link verifyExport}, in bounded memory. Only a
 * line feed ends a line. A line that is not UTF-8, or longer than 16 MiB, becomes an empty text, which no
 * export has. A byte order mark at the beginning is removed.
 *
 * @example
 * ```ts
 * const lines = exportLines(response.body)
 * const { finding } = await verifyExport(lines, checkpoints)
 * ```
 */
export async function* exportLines(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
): AsyncGenerator<string> {
  let begun: Uint8Array[] = []
  let size = 0
  let first = true
  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield textOf([...begun, chunk.subarray(start, end)], first)
      begun = []
      size = 0
      first = false
      start = end + 1
    }
    begun.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > LONGEST_LINE) return yield UNREADABLE
  }
  if (size > 0) yield textOf(begun, first)
}

function textOf(parts: readonly Uint8Array[], first: boolean): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !first })
  try {
    return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode()
  } catch {
    return UNREADABLE
  }
}
