import { partOf } from '../../engine/changes/part.ts'
import { UnreadableInput, lowerCase } from '../../base/input.ts'
import type { OperationOptions } from '../../engine/changes/operation.ts'
import {
  invalid,
  ok,
  refused,
  type InputRefusal,
  type Refused,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  MOST_AT_ONCE,
  createInvitations,
  type CreateInvitationsInput,
  type CreateInvitationsRefusal,
} from './create-many.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import type { InvitationContext } from './invitation-config.ts'

/** The outcome of a row of a file. */
export interface ImportedRow {
  /** The line on which the row begins, from 1. */
  readonly line: number
  readonly email: string
  readonly outcome: Result<InvitationWithToken>
}

/** A row of the file. */
interface FileRow {
  readonly line: number
  readonly email: string
  readonly role: string
}

const COLUMNS = ['email', 'role'] as const

/** Why {@link importMembers} refuses. */
export type ImportMembersRefusal = CreateInvitationsRefusal

/**
 * Imports members from a CSV file: each row is invited as by `createInvitations`, and has its own
 * outcome. The first line names the columns, of which `email` and `role` are read; up to 100 rows. A user
 * becomes a member only by accepting.
 *
 * Refusals: `CreateInvitationsRefusal` (`validation_error` on `csv` if it is no such file).
 *
 * @throws {TypeError} if the host has configured no `secret`.
 *
 * @example
 * ```ts
 * const imported = await importMembers(seatgate, scope, 'email,role\nann@example.com,member\n')
 * if (imported.ok) for (const { line, outcome } of imported.value) console.log(line, outcome.ok)
 * ```
 */
export async function importMembers(
  context: InvitationContext,
  scope: OrganizationScope,
  csv: string,
  options: OperationOptions = {}
): Promise<Result<readonly ImportedRow[], ImportMembersRefusal>> {
  partOf(context, 'invitations')
  const read = readFile(csv)
  const rowsOrRefusal = read.ok
    ? { invitations: read.value.map(({ email, role }) => ({ email, role })) }
    : new UnreadableInput(read.error)
  // An invalid file is refused after the caller's role was checked, like any other input.
  const input = rowsOrRefusal as CreateInvitationsInput
  const invited = await createInvitations(context, scope, input, options)
  if (!invited.ok) return invited
  const rows = read.ok ? read.value : []
  return ok(
    invited.value.flatMap((outcome, index) => {
      const row = rows[index]
      return row ? [{ line: row.line, email: row.email, outcome }] : []
    })
  )
}

function readFile(csv: unknown): Result<readonly FileRow[], InputRefusal> {
  if (csv instanceof UnreadableInput) return csv.refuse()
  if (typeof csv !== 'string') return wrong('Must be a string.')
  const rows = csvRows(csv)
  if (rows === null) return wrong('Must be CSV: a quote is not closed, or is inside a cell.')
  const [header, ...lines] = rows
  const names = header?.cells.map((cell) => lowerCase(cell.trim())) ?? []
  const missing = COLUMNS.filter((column) => names.filter((name) => name === column).length !== 1)
  if (missing.length > 0) return wrong(`Must have one column "${missing.join('" and one "')}".`)
  if (lines.length === 0) return wrong('Must have a row.')
  if (lines.length > MOST_AT_ONCE) return wrong(`Must have at most ${MOST_AT_ONCE} rows.`)
  const cell = (cells: readonly string[], column: string) =>
    cells[names.indexOf(column)]?.trim() ?? ''
  return ok(
    lines.map(({ line, cells }) => ({
      line,
      email: cell(cells, 'email'),
      role: cell(cells, 'role'),
    }))
  )
}

function wrong(message: string): Refused<'validation_error'> {
  return refused(invalid({ csv: [message] }))
}

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
