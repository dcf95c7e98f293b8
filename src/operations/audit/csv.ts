import type { AuditEvent } from '../../engine/audit/event.ts'

// What begins like this a spreadsheet may take for a formula, full-width signs and leading blanks
// included. Behind an apostrophe it is a text.
const FORMULA = /^[\s\p{Cf}]*[=+\-@＝＋－＠|]|^[\t\r\n]/u

const COLUMNS = [
  'sequence',
  'id',
  'organizationId',
  'occurredAt',
  'insertedAt',
  'action',
  'outcome',
  'actorType',
  'actorId',
  'effectiveUserId',
  'targetType',
  'targetId',
  'metadata',
  'requestId',
  'traceId',
  'causeEventId',
  'idempotencyKey',
  'schemaVersion',
  'personalDigest',
] as const satisfies readonly (keyof AuditEvent)[]

/** The names of the columns, in their order. The personal part comes last. */
export const CSV_HEADER = row([...COLUMNS, 'ipAddress', 'userAgent'])

/** An event as a row. */
export function csvRow({ personal, ...event }: AuditEvent): string {
  const cells = COLUMNS.map((column) => {
    const value = event[column]
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
  })
  return row([...cells, personal?.ipAddress ?? null, personal?.userAgent ?? null])
}

/**
 * Cells as a line of CSV, as RFC 4180 has it. What separates cells in some spreadsheets (a semicolon, a
 * tab) is quoted too.
 */
export function row(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
