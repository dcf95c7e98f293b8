/**
 * The seats of the users on the waitlist: others get one only if there are more.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Statement } from '../../database/database.ts'
import { batch } from '../../database/batch.ts'
import type { RefusalOf } from '../../base/result.ts'
import { guardSelecting } from '../../database/commit.ts'
import {
  typeInCode,
  typeOfSeat,
  type SeatType,
  type SeatTypeContext,
} from '../../base/seat-types.ts'
import { reservedSince, seatsHeld, seatsReserved } from './counts.ts'
import type { SeatCount } from './limit.ts'
import type { ProviderContext, SeatContext, SeatRequest } from './provider.ts'
import type { ReserveRefusal } from './reserve-rules.ts'

/** Builds a scalar subquery of the number of users who wait for a seat of a type. */
export function waitingFor(
  organizationId: SQL | string,
  context: Pick<SeatContext, 'isWaiting' | 'seatTypes'>,
  type: SeatType = null
): SQL<number> {
  const { isWaiting } = context
  if (isWaiting === null) return sql<number>`0`
  return sql<number>`(select count(*) from seatgate_join_requests
    where organization_id = ${organizationId} and ${isWaiting}${waitsFor(context, type)})`
}

/**
 * Builds a scalar subquery of the number of seats of a type that are in use, or are to be left to users who
 * wait: other users get one only if there are more.
 */
export function seatsWanted(
  organizationId: SQL | string,
  context: Pick<SeatContext, 'isWaiting' | 'seatTypes'>,
  now: Date,
  type: SeatType = null
): SQL<number> {
  return sql<number>`${seatsHeld(organizationId, type)}
    + ${seatsReserved(organizationId, reservedSince(now), type)}
    + ${waitingFor(organizationId, context, type)}`
}

/** Builds the further condition that a request is for a seat of a type. */
export function waitsFor({ seatTypes }: SeatTypeContext, type: SeatType): SQL {
  if (seatTypes.size === 0) return sql``
  if (type !== null) return sql` and role in ${seatTypes.get(type)?.roles ?? []}`
  return sql` and role not in ${[...seatTypes.values()].flatMap(({ roles }) => roles)}`
}

/**
 * Prevents other users from taking a seat of the waitlist: with this seat taken, one must
 * be left for every user who waits. `count` is the count of the grant, this seat included. Reads at most
 * as many requests as there are seats, and no request if the waitlist is empty.
 */
export function guardWaitlist(
  context: SeatContext,
  { organizationId, seatId, kind }: SeatRequest,
  { limit, held, reserved }: SeatCount
): readonly Statement[] {
  const { isWaiting } = context
  if (kind !== 'new' || limit.kind !== 'finite' || isWaiting === null) return []
  const type = typeOfSeat(seatId)
  const used = held + reserved
  const left = Math.max(0, limit.seats - used)
  const code = `seat_limit_reached:${limit.seats}:${used - 1}${typeInCode(context, type)}`
  return [
    guardSelecting(
      context.db,
      sql`select ${code}
        where exists (select 1 from seatgate_join_requests
          where organization_id = ${organizationId} and ${isWaiting}${waitsFor(context, type)}
          limit 1 offset ${left})`
    ),
  ]
}

/** How many seats may be taken, and the refusal of one more. */
export interface Room {
  readonly seats: number
  readonly refusal: RefusalOf<ReserveRefusal>
}

/**
 * Counts the free seats of a type beside those that the users on the waitlist need; null without a limit. Costs
 * a call of the provider and a round trip.
 */
export async function roomBesideWaitlist(
  { seats, seatContext }: ProviderContext,
  organizationId: string,
  type: SeatType
): Promise<Room | null> {
  const counted = await seats.usage(seatContext, organizationId, type)
  if (!counted.ok) return { seats: 0, refusal: counted.error }
  const { limit, held, reserved } = counted.value
  if (limit.kind !== 'finite') return null
  const { db } = seatContext
  const line = waitingFor(organizationId, seatContext, type)
  const { waiting } = await batch(db, {
    waiting: db.select({ users: line.as('users') }).from(sql`(select 1)`),
  })
  const used = held + reserved
  return {
    seats: Math.max(0, limit.seats - used - (waiting[0]?.users ?? 0)),
    refusal: {
      code: 'seat_limit_reached',
      limit: limit.seats,
      used,
      ...(type !== null && { seatType: type }),
    },
  }
}
