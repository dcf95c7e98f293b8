/**
 * Recognizes rare states in what comes by at D1.
 *
 * @module
 */
import { guardsIn } from '../kit/guards.ts'
import type { BatchListener } from './database.ts'
import type { Surroundings } from './network.ts'
import type { LedgerState } from '../../src/testing/index.ts'
import type { LedgerCall } from './ledger-object.ts'
import type { Registry } from './people.ts'
import type { Answer } from './sqlite.ts'
import { withoutPrefix } from './trace.ts'

type Batch = Parameters<BatchListener>[0]

export function noteBatch(
  { sometimes, trace }: Surroundings,
  registry: Registry,
  batch: Batch
): void {
  const { statements, answers, error, awaited } = batch
  if (error) {
    trace.note(`d1 ${error.message}`)
    noteFailure(sometimes, registry, batch)
    return
  }
  const first = statements[0]?.sql ?? ''
  const writes = statements.some(({ sql }) => !sql.startsWith('select'))
  if (writes) trace.note(`d1 ${statements.length} ${withoutPrefix(first).slice(0, 40)}`)
  if (writes && !awaited) sometimes('a batch landed after its sender was gone')
  if (first.startsWith('insert into "seatgate_seat_fences"')) {
    noteSettling(sometimes, statements[0]!.params, answers ?? [])
  }
  if (first.startsWith('insert into "seatgate_sink_cursors"')) {
    const token = statements[0]!.params.find((value) => isToken(value))
    const row = answers?.[1]?.results[0]
    if (row && row['lease_token'] !== token && row['lease_token'] !== null) {
      sometimes('a lease was somebody else’s')
    }
  }
  for (const { sql, params } of statements) {
    if (sql.startsWith('insert into "seatgate_invitations"'))
      noteTakenOver(sometimes, registry, params)
    if (sql.startsWith('insert into "seatgate_entitlements"'))
      noteLimit(sometimes, registry, params)
    if (sql.startsWith('insert into "seatgate_audit_events"')) noteLine(sometimes, registry, params)
  }
}

const isToken = (value: unknown) => typeof value === 'string' && value.startsWith('00000000-')

function noteFailure(
  sometimes: Surroundings['sometimes'],
  registry: Registry,
  { statements, error }: Batch
): void {
  const message = error?.message ?? ''
  if (message.includes('guard:last_owner')) sometimes('an owner was kept by the guard alone')
  if (message.includes('guard:stale') || message.includes('UNIQUE')) {
    sometimes('a batch was planned on what had changed')
  }
  if (message.includes('guard:ledger_superseded')) sometimes('a late write met a risen epoch')
  if (!message.includes('guard:stale')) return
  for (const { query, params } of statements.flatMap((each) => guardsIn(each.sql, each.params))) {
    if (!query.includes('seatgate_seat_fences')) continue
    // Of several seats there is a list.
    const seatIds = String(params[1]).startsWith('[') ? JSON.parse(String(params[1])) : [params[1]]
    if ((seatIds as unknown[]).some((id) => registry.isFenced(id))) {
      sometimes('a late write met a fence')
    }
  }
}

function noteSettling(
  sometimes: Surroundings['sometimes'],
  params: readonly unknown[],
  answers: readonly Answer[]
): void {
  const asked = JSON.parse(
    String(params.find((value) => String(value).startsWith('[')))
  ) as string[]
  const held = answers[1]?.results.length ?? 0
  const promised = answers[2]?.results.length ?? 0
  if (held > 0) {
    sometimes('an alarm found the membership')
    sometimes('a confirmation was lost and made up for')
  }
  if (promised > 0) sometimes('an alarm found the invitation')
  if (held + promised < asked.length) sometimes('an alarm fenced an abandoned seat')
}

function noteLimit(
  sometimes: Surroundings['sometimes'],
  registry: Registry,
  params: readonly unknown[]
): void {
  const [organizationId, , kind, seats] = params
  const view = registry.view(String(organizationId))
  if (!view || kind !== 'finite') return
  const used = view.members.filter((row) => row.seat_id !== null).length
  if (Number(seats) < used) sometimes('a limit was lowered below what was used')
}

// What is known of the organization is from before this batch, here and below.
function noteLine(
  sometimes: Surroundings['sometimes'],
  registry: Registry,
  params: readonly unknown[]
): void {
  const inLine = () =>
    registry.view(String(params[0]))?.requests.filter(({ place }) => place !== null) ?? []
  const says = (action: string) => params.includes(action)
  if (says('organization.join_request.created')) sometimes('a request waited for somebody’s word')
  if (says('organization.join_request.queued')) {
    sometimes('somebody stood in line')
    if (inLine().length > 0) sometimes('several stood in line')
  }
  if (says('organization.member_add') && inLine().some((row) => params.includes(row.user_id))) {
    const awaited = params.some((value) => typeof value === 'string' && value.includes('"path":'))
    sometimes(
      awaited ? 'somebody came in from the line' : 'somebody in line came in by another door'
    )
  }
}

function noteTakenOver(
  sometimes: Surroundings['sometimes'],
  registry: Registry,
  params: readonly unknown[]
): void {
  const view = registry.view(String(params[1]))
  const seats = new Set(view?.unfinished.map(({ seat_id }) => seat_id))
  seats.delete(null)
  const [id] = params
  const known = view?.unfinished.some((row) => row.id === id)
  if (!known && params.some((value) => typeof value === 'string' && seats.has(value))) {
    sometimes('an invitation took over the seat of another')
  }
}

/** Recognizes rare states in what a ledger is asked and answers. */
export function noteCall(
  { sometimes }: Surroundings,
  before: LedgerState | null,
  after: LedgerState | null,
  { method, by, request, answer, awaited, underWay }: LedgerCall
): void {
  if (answer !== undefined) {
    const granted = (answer as { ok?: boolean }).ok === true
    if (method === 'reserve' && granted && !awaited) sometimes('a reservation outlived its request')
    if (method === 'reserve' && granted && after?.stage) {
      sometimes('a seat was granted while a ledger imported')
    }
    if (method === 'close' && granted) sometimes('a ledger was closed')
    return
  }
  if (before === null && after === null && underWay > 1)
    sometimes('several calls waited for one start')
  const { version, seatId } = (request ?? {}) as { version?: number; seatId?: string }
  if (method === 'setLimit' && before && version !== undefined && version < before.version) {
    sometimes('an older limit came after a newer one')
  }
  const isKnown = before?.seats.some(({ seat_id }) => seat_id === seatId)
  if (method === 'release' && before?.stage && !isKnown) {
    sometimes('a seat was released before it was imported')
  }
  const outbox = by?.name === 'consumer' || by?.name === 'cron'
  if (method === 'release' && outbox && isKnown) {
    sometimes('a release was lost and found')
  }
}
