/**
 * SQL expressions about an organization's seats, evaluated at their place in the batch.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { limitView } from './limit.ts'
import type { SeatContext } from './provider.ts'
import { seatsHeld, seatsPromised } from './counts.ts'

/** Builds a JSON object with the numbers of held, reserved and bought seats added. */
export function withSeatCount(
  json: SQL<Record<string, unknown>>,
  context: SeatContext,
  organizationId: SQL<string> | string,
  now: Date
): SQL<Record<string, unknown>> {
  return sql<Record<string, unknown>>`json_set(${json},
    '$.held', ${seatsHeld(organizationId)}, '$.reserved', ${seatsPromised(organizationId, now)},
    '$.limit', ${limitThen(context, organizationId)})`
}

/** Whether the trail records that the organization uses more seats than its limit. */
export function isMarkedOver(organizationId: SQL<string> | string): SQL<boolean> {
  const last = (action: string) => sql`coalesce((select max(sequence) from seatgate_audit_events
    where organization_id = ${organizationId} and action = ${action}), 0)`
  return sql`${last('seat.over_limit_entered')} > ${last('seat.over_limit_cleared')}`
}

/**
 * Whether the organization uses more seats than its limit. A limit that is not a number does not count.
 */
export function isOver(
  context: SeatContext,
  organizationId: SQL<string> | string,
  now: Date
): SQL<boolean> {
  const limit = limitThen(context, organizationId)
  return sql`${seatsHeld(organizationId)} + ${seatsPromised(organizationId, now)} > ${limit}`
}

// A bound number would be written with a decimal point, hence the cast.
function limitThen({ defaultLimit }: SeatContext, organizationId: SQL<string> | string): SQL {
  const fallback = limitView(defaultLimit)
  return sql`coalesce((select case limit_kind when 'finite' then limit_seats else limit_kind end
    from seatgate_entitlements where organization_id = ${organizationId}),
    ${typeof fallback === 'number' ? sql`cast(${fallback} as integer)` : fallback})`
}
