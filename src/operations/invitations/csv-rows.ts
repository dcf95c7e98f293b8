/**
 * Parses the rows of a CSV file (RFC 4180), and the variants of spreadsheets.
 *
 * @module
 */

/** A row, and the line on which it begins. */
export interface CsvRow {
  readonly line: number
  readonly cells: readonly string[]
}

// A cell, quoted or not, up to the next separator or line end.
const cellEndedBy = (separator: string) =>
  new RegExp(
    `(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n][^${separator}\\r\\n]*)?)(${separator}|\\r\\n|\\n|\\r|$)`,
    'y'
  )

/**
 * Splits a CSV text into rows. Cells are separated by commas, or by semicolons if the first line has one
 * and no comma; a byte order mark and blank lines are removed. Returns null if a quote is misplaced.
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
  // A separator at the end of the text is followed by an empty cell.
  if (row.cells.length > 0) rows.push({ ...row, cells: [...row.cells, ''] })
  return rows.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''))
}
