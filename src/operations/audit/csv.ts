import type { AuditEvent } from '../../engine/audit/event.ts'

// A spreadsheet may evaluate a cell that begins like this as a formula, full-width signs and leading
// blanks included. An apostrophe in front makes it text.
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

/** The names of the columns, in order. The personal data come last. */
export const CSV_HEADER = row([...COLUMNS, 'ipAddress', 'userAgent'])

/** Returns an event as a row. */
export function csvRow({ personal, ...event }: AuditEvent): string {
  const cells = COLUMNS.map((column) => {
    const value = event[column]
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
  })
  return row([...cells, personal?.ipAddress ?? null, personal?.userAgent ?? null])
}

/**
 * Formats cells as a line of CSV (RFC 4180). Characters that separate cells in some spreadsheets (a
 * semicolon, a tab) are quoted too.
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
