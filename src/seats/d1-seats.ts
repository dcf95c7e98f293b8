import { sql } from 'drizzle-orm'
import type { Database, Statement } from '../database/database.ts'
import { guards } from '../database/schema.ts'
import { ok } from '../result.ts'
import type { SeatLimit } from './limit.ts'
import type { SeatProvider, SeatRequest } from './provider.ts'
import { countSeats, seatsUsed } from './truth.ts'

/**
 * Counts seats in D1 alone, without a Durable Object: the batch that writes the membership counts
 * and compares in one statement, which is exact because D1 has one writer. It holds no seats for
 * anybody who is not in yet.
 *
 * @example
 * ```ts
 * const seatgate = createSeatgate({ database: drizzle(env.DB), seats: d1Seats() })
 * ```
 */
export function d1Seats(): SeatProvider {
  return {
    enforces: true,
    async reserve({ db, defaultLimit }, request) {
      const guards = request.founding ? [] : [guardLimit(db, request, defaultLimit)]
      return ok({ guards, count: null })
    },
    async confirm() {},
    async release() {},
    async setLimit({ db, defaultLimit }, { organizationId }) {
      return ok(await countSeats(db, organizationId, defaultLimit))
    },
    async usage({ db, defaultLimit }, organizationId) {
      return ok(await countSeats(db, organizationId, defaultLimit))
    },
  }
}

// The refusal's numbers travel in the guard's code, so that they are the ones it was decided on. Who
// is a member already is let pass, to meet the unique key and be told so.
function guardLimit(
  db: Database,
  { organizationId, holder }: SeatRequest,
  defaultLimit: SeatLimit
): Statement {
  const unlimitedMark = -1
  const unknownMark = -2
  const fallback =
    defaultLimit.kind === 'finite'
      ? defaultLimit.seats
      : defaultLimit.kind === 'unlimited'
        ? unlimitedMark
        : unknownMark
  return db.insert(guards).select(
    sql`select case
        when seats = ${unknownMark} then 'seats_unavailable'
        else 'seat_limit_reached:' || seats || ':' || used
      end
      from (select ${seatsUsed(organizationId)} as used, coalesce((
        select case limit_kind
          when 'finite' then limit_seats
          when 'unlimited' then ${unlimitedMark}
          else ${unknownMark}
        end from entitlements where organization_id = ${organizationId}
      ), ${fallback}) as seats)
      where (seats = ${unknownMark} or (seats >= 0 and used >= seats)) and not exists (
        select 1 from memberships
        where organization_id = ${organizationId} and user_id = ${holder} and status = 'active'
      )`
  )
}
