/** A table of Markdown as the formatter writes it: the first columns to the left, the others to the right. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  left = 1
): string {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((row) => row[column]?.length ?? 0))
  )
  const line = (cells: readonly string[]) =>
    `| ${cells
      .map((cell, column) =>
        column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
      )
      .join(' | ')} |`
  const rule = widths.map((width, column) =>
    column < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`
  )
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}
