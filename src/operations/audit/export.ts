import { checkOptionNames } from '../../base/names.ts'
import * as v from 'valibot'
import type { DatabaseContext } from '../../database/database.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { bothOf, parseInput, wholeNumber } from '../../base/input.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import {
  ok,
  type AccessRefusal,
  type CommitRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { base64 } from '../../proof/encoding.ts'
import type { ArchiveContext } from '../../engine/audit/archived-events.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { trailEvent } from '../../engine/audit/part-actions.ts'
import { parseFilters, type AuditFilters } from '../../engine/audit/filters.ts'
import { ndjsonLine } from '../../base/shown-text.ts'
import { HORIZON, type ExportHorizon } from '../../proof/horizon.ts'
import { subtreeHashes } from '../../engine/audit/sealer.ts'
import { streamWritten, type EventStream } from './stream.ts'

const Options = v.object({
  format: v.optional(
    v.picklist(['ndjson', 'csv', 'json'], 'Must be "ndjson", "csv" or "json".'),
    'ndjson'
  ),
  limit: v.optional(wholeNumber({ min: 1 })),
  bom: v.optional(
    v.pipe(
      v.union([v.boolean(), v.picklist(['true', 'false'])], 'Must be true or false.'),
      v.transform((bom) => bom === true || bom === 'true')
    ),
    false
  ),
})

const CheckedOptions = v.pipe(
  Options,
  v.forward(
    v.check(({ format, bom }) => !bom || format === 'csv', 'Is only allowed for CSV.'),
    ['bom']
  )
)

/**
 * The options of an export: the filters of a list, the format, a maximum of events, and whether a CSV
 * begins with a byte order mark (`bom`), which Excel needs to read it as UTF-8.
 */
export type AuditExportInput = AuditFilters & v.InferInput<typeof Options>

/** Options of {@link exportAuditEvents}. */
export interface AuditExportOptions {
  /** Whether the export is recorded. Default true; pass false for a response without its body. */
  readonly record?: boolean
}

/** A file that is produced while it is read. */
export interface AuditExport {
  readonly contentType: string
  readonly fileName: string
  readonly body: ReadableStream<Uint8Array>
}

/** The version of the formats. */
const EXPORT_VERSION = 1

/** Why {@link exportAuditEvents} refuses. */
export type ExportAuditEventsRefusal =
  | AccessRefusal
  | InputRefusal
  | CommitRefusal
  | 'before_horizon'

/**
 * Exports an organization's trail as NDJSON (default), CSV or JSON, oldest first, of any size in constant
 * memory. The export itself is recorded as `audit.export`, after its events. Each format ends with the
 * number of its events and whether `limit` cut it off; without that end it broke off. If retention has
 * purged the beginning, NDJSON and JSON begin with the hashes that the remaining events build on.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `CommitRefusal`, `before_horizon`.
 *
 * @throws {StoreUnavailable} if D1 does not answer; the stream errs if it stops answering.
 *
 * @example
 * ```ts
 * const file = await exportAuditEvents(seatgate, scope, { format: 'csv' })
 * if (file.ok) return new Response(file.value.body, { headers: { 'content-type': file.value.contentType } })
 * ```
 */
export async function exportAuditEvents(
  context: ChangeContext & ArchiveContext,
  scope: OrganizationScope,
  input: AuditExportInput = {},
  options: AuditExportOptions = {}
): Promise<Result<AuditExport, ExportAuditEventsRefusal>> {
  checkOptionNames('exportAuditEvents', options, ['record'])
  const { record = true } = options
  const { format: _format, limit: _limit, bom: _bom, ...given } = input
  const parsed = bothOf(
    parseInput(CheckedOptions, input),
    parseFilters(given, ['format', 'limit', 'bom'])
  )
  const stream = await streamWritten(context, scope, parsed.ok ? given : {})
  if (!stream.ok) return stream
  if (!parsed.ok) return parsed
  const { format, limit = Infinity, bom, ...filters } = parsed.value
  const recorded = await perform(context, scope, {
    name: 'audit.export',
    input: null,
    grows: false,
    refusals: [],
    queries: {},
    plan(found) {
      const access = authorizeFor(context.roles, found, 'audit:read')
      if (!access.ok) return access
      const { id } = access.value.organization
      const filtered = Object.keys(filters).sort().join(' ')
      return ok({
        value: id,
        statements: record ? [guardAccess(context, access.value)] : [],
        events: record ? [trailEvent(id, 'audit.export', { format, filters: filtered })] : [],
      })
    },
  })
  if (!recorded.ok) return recorded
  const { contentType, ...writing } = FORMATS[format]
  const horizon = await horizonLine(context, recorded.value, stream.value.horizon)
  return ok({
    contentType,
    fileName: `audit.${format}`,
    body: bytesOf(lines(writing, stream.value, horizon, limit), bom ? BYTE_ORDER_MARK : ''),
  })
}

/** The end of an export. */
interface End {
  readonly events: number
  readonly truncated: boolean
  readonly throughSequence: number
}

interface Format {
  readonly contentType: string
  readonly begin: (horizon: ExportHorizon | null) => string
  readonly event: (event: AuditEvent, index: number) => string
  readonly end: (end: End) => string
}

const summary = (end: End) => ({ type: 'seatgate.audit.export', version: EXPORT_VERSION, ...end })

const FORMATS: Readonly<Record<'ndjson' | 'csv' | 'json', Format>> = {
  ndjson: {
    contentType: 'application/x-ndjson',
    begin: (horizon) => (horizon ? ndjsonLine(horizon) : ''),
    event: ndjsonLine,
    end: (end) => ndjsonLine(summary(end)),
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    begin: () => CSV_HEADER,
    event: csvRow,
    end: ({ events, truncated }) =>
      row([`# end: ${events} events, ${truncated ? 'truncated' : 'complete'}`]),
  },
  json: {
    contentType: 'application/json',
    begin: (horizon) =>
      `{"version":${EXPORT_VERSION},"horizon":${JSON.stringify(horizon)},"events":[`,
    event: (event, index) => `${index > 0 ? ',' : ''}${JSON.stringify(event)}`,
    end: (end) => `],"end":${JSON.stringify(summary(end))}}`,
  },
}

async function* lines(
  { begin, event, end }: Omit<Format, 'contentType'>,
  { events, throughSequence }: EventStream,
  horizon: ExportHorizon | null,
  limit: number
): AsyncGenerator<string> {
  yield begin(horizon)
  let count = 0
  for await (const each of events) {
    if (count === limit) return yield end({ events: count, truncated: true, throughSequence })
    yield event(each, count)
    count += 1
  }
  yield end({ events: count, truncated: false, throughSequence })
}

async function horizonLine(
  context: DatabaseContext,
  organizationId: string,
  sequence: number
): Promise<ExportHorizon | null> {
  if (sequence === 0) return null
  const [hashes = []] = await subtreeHashes(context, organizationId, [{ start: 0, end: sequence }])
  return { type: HORIZON, version: 1, sequence, hashes: hashes.map(base64) }
}

const CHUNK = 64 * 1024

// Without it Excel reads the file in the system's own code page.
const BYTE_ORDER_MARK = '\ufeff'

// Reads events only on demand, so that a slow reader bounds the memory.
function bytesOf(texts: AsyncGenerator<string>, mark: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let begun = mark
  return new ReadableStream({
    async pull(controller) {
      let text = begun
      begun = ''
      while (text.length < CHUNK) {
        const next = await texts.next()
        if (next.done) {
          if (text !== '') controller.enqueue(encoder.encode(text))
          return controller.close()
        }
        text += next.value
      }
      controller.enqueue(encoder.encode(text))
    },
    async cancel() {
      await texts.return(undefined)
    },
  })
}

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
const CSV_HEADER = row([...COLUMNS, 'ipAddress', 'userAgent'])

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
function row(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
