/** The ids of the given groups that a title bears, wherever it has them. */
export function idsIn(title: string, groups: Readonly<Record<string, number>>): string[] {
  return [...title.matchAll(/\b([A-Z]+)-(\d+)\b/g)]
    .filter(([, group = '']) => Object.hasOwn(groups, group))
    .map(([, group, number]) => `${group}-${Number(number)}`)
}

/** A title as a sentence: without the ids in brackets at its end, at its start, or before a colon. */
export function withoutIds(title: string): string {
  return title
    .replace(/ \[[A-Z]+-?\d+(?: [A-Z]+-?\d+)*\]$/, '')
    .replace(/^[A-Z]+-\d+(?:,? [A-Z]+-\d+)*(?::? |:?$)/, '')
    .replaceAll(/\b[A-Z]+-\d+: /g, '')
}

/** Ids for a message: three or more in a row as the first and the last of them. */
export function listed(ids: readonly string[]): string {
  const rows: [string, ...string[]][] = []
  for (const id of ids) {
    const row = rows.at(-1)
    if (row !== undefined && id === following(row.at(-1)!)) row.push(id)
    else rows.push([id])
  }
  return rows.flatMap((row) => (row.length > 2 ? [`${row[0]} to ${row.at(-1)}`] : row)).join(', ')
}

function following(id: string): string {
  return id.replace(/\d+$/, (number) => String(Number(number) + 1))
}
