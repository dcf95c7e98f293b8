/**
 * How an organization's seats stand, as expressions for a batch: true at their place in it.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { limitView } from './limit.ts'
import type { SeatContext } from './provider.ts'
import { seatsHeld, seatsPromised } from './counts.ts'

/** A JSON object and how many seats are held, reserved and bought. */
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

/** The trail says that the organization has more seats in use than it bought. */
export function isMarkedOver(organizationId: SQL<string> | string): SQL<boolean> {
  const last = (action: string) => sql`coalesce((select max(sequence) from seatgate_audit_events
    where organization_id = ${organizationId} and action = ${action}), 0)`
  return sql`${last('seat.over_limit_entered')} > ${last('seat.over_limit_cleared')}`
}

/** It has. A limit that is no number is no limit here. */
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
