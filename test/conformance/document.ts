import type { Line } from './findings.ts'

const SHOWN_AT_MOST = 2

const INTRODUCTION = `# Conformance

A checklist numbers the promises of Seatgate; an id such as \`ORG-12\` is a line of it. This page lists
the tests that show that a line holds, or the reason why the line is left out. It is generated from
the titles of the tests, which contain the ids: a full test run fails if the page is outdated, and
\`npm run conformance:write\` writes it. If the code differs from a line, the last column describes the
difference and its reason.`

/** The page for these lines, as Markdown that is still to be formatted. */
export function conformanceDocument(lines: readonly Line[]): string {
  const groups = [...Map.groupBy(lines, ({ group }) => group)]
  const summary = [
    ...groups.map(([group, lines]) => [group, ...counts(lines)]),
    ['all', ...counts(lines)],
  ]
  const sections = groups.map(([group, lines]) => section(group, lines))
  return [INTRODUCTION, table(['group', 'lines', 'pass', 'left out', 'open'], summary), ...sections]
    .join('\n\n')
    .concat('\n')
}

/** The ids whose rows are not the same on both pages, no matter how the columns are padded. */
export function differingIds(left: string, right: string): string[] {
  const [before, after] = [rowsById(left), rowsById(right)]
  const ids = new Set([...before.keys(), ...after.keys()])
  return [...ids].filter((id) => before.get(id) !== after.get(id))
}

function section(group: string, lines: readonly Line[]): string {
  const shown = lines.filter(({ verdict }) => verdict !== 'left out')
  const leftOut = lines.filter(({ verdict }) => verdict === 'left out')
  const parts = [`## ${group}`]
  if (shown.length > 0) {
    const rows = shown.map((line) => [
      line.id,
      line.verdict === 'missing' ? '**missing**' : fails(line) + few(line.titles.map(escaped)),
      few(line.files.map((file) => `\`${file}\``)),
      escaped(line.otherwise ?? ''),
    ])
    parts.push(table(['id', 'shown by', 'file', 'differs from the line'], rows))
  }
  if (leftOut.length > 0) {
    const rows = leftOut.map(({ id, reason = '' }) => [id, escaped(reason)])
    parts.push(`### Left out of ${group}`, table(['id', 'reason'], rows))
  }
  return parts.join('\n\n')
}

function counts(lines: readonly Line[]): string[] {
  const pass = lines.filter(({ verdict }) => verdict === 'pass').length
  const leftOut = lines.filter(({ verdict }) => verdict === 'left out').length
  return [lines.length, pass, leftOut, lines.length - pass - leftOut].map(String)
}

function fails({ verdict }: Line): string {
  return verdict === 'fails' ? '**fails**<br>' : ''
}

function few(texts: readonly string[]): string {
  const more = texts.length - SHOWN_AT_MOST
  return [...texts.slice(0, SHOWN_AT_MOST), ...(more > 0 ? [`+${more} more`] : [])].join('<br>')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** A text on one line that Markdown shows as it is, in a cell. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replaceAll(/[\\`*_<[\]~|&]/g, String.raw`\$&`)
}

function rowsById(page: string): Map<string, string> {
  return new Map(
    page.split('\n').flatMap((line) => {
      const id = /^\| ([A-Z]+-\d+) /.exec(line)?.[1]
      return id === undefined ? [] : [[id, line.replaceAll(/ +/g, ' ')] as const]
    })
  )
}
