/**
 * Rows of a CSV file, as RFC 4180 has it and as spreadsheets write it.
 *
 * @module
 */

/** A row, and the line on which it begins. */
export interface CsvRow {
  readonly line: number
  readonly cells: readonly string[]
}

// A cell and what ends it: quoted, or up to the next separator or line end.
const cellEndedBy = (separator: string) =>
  new RegExp(
    `(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n][^${separator}\\r\\n]*)?)(${separator}|\\r\\n|\\n|\\r|$)`,
    'y'
  )

/**
 * Splits a CSV text into rows. Cells are separated by commas, or by semicolons if the first line has one and
 * no comma; a byte order mark is left out, and so are blank lines. Null if a quote stands where none may.
 *
 * @example
 * ```ts
 * csvRows('email,role\nann@example.com,member') // two rows of two cells
 * ```
 */
export function csvRows(text: string): readonly CsvRow[] | null {
  const content = text.replace(/^\ufeff/, '')
  const [first = ''] = content.split(/[\r\n]/, 1)
  const pattern = cellEndedBy(first.includes(';') && !first.includes(',') ? ';' : ',')
  const rows: CsvRow[] = []
  let row = { line: 1, cells: [] as string[] }
  let line = 1
  while (pattern.lastIndex < content.length) {
    const match = pattern.exec(content)
    if (match === null) return null
    const [whole, quoted, plain = '', end = ''] = match
    row.cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    line += whole.split(/\r\n|\n|\r/).length - 1
    if (end !== ',' && end !== ';') {
      rows.push(row)
      row = { line, cells: [] }
    }
  }
  // A separator at the very end has an empty cell behind it.
  if (row.cells.length > 0) rows.push({ ...row, cells: [...row.cells, ''] })
  return rows.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
}
