import { checkOptionNames } from '../../base/names.ts'
import { sql } from 'drizzle-orm'
import type { Statement } from '../../database/database.ts'
import { guardSelecting } from '../../database/commit.ts'
import { ok, refused } from '../../base/result.ts'
import {
  checkedDefaultLimit,
  countSeats,
  limitByDefault,
  type DefaultLimitOption,
} from './count-seats.ts'
import type { SeatContext, SeatProvider, SeatRequest } from './provider.ts'
import { reservedSince, seatsHeld, seatsReserved } from './counts.ts'
import { waitingFor } from './waitlist-seats.ts'
import { refusalAt } from './reserve-rules.ts'
import { typeInCode, typeOfSeat } from '../../base/seat-types.ts'

/**
 * Counts seats in D1 only, without a Durable Object. The batch that writes the membership counts and
 * compares in one statement, which is exact because D1 has one writer. Reads a row for each pending
 * invitation.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * createSeatgate({ database: drizzle(env.DB), seats: d1Seats({ defaultLimit: 3 }), sessions: 'none' })
 * ```
 */
export function d1Seats(options: DefaultLimitOption = {}): SeatProvider {
  checkOptionNames('d1Seats', options, ['defaultLimit'])
  return {
    enforces: true,
    countsTypes: true,
    defaultLimit: checkedDefaultLimit('d1Seats', options),
    async reserve(context, request) {
      const guards = isGrowth(request) ? [guardLimit(context, request)] : []
      return ok({ guards, count: null })
    },
    // The count is read first, so that each request gets its own result; the guards decide.
    async reserveEach(context, requests) {
      const [first] = requests
      if (first === undefined) return []
      const type = typeOfSeat(first.seatId)
      const { limit, held, reserved } = await countSeats(context, first.organizationId, type)
      let used = held + reserved
      return requests.map((request) => {
        if (!isGrowth(request)) return ok({ guards: [], count: null })
        const refusal = refusalAt(limit, used, type)
        if (refusal !== null) return refused(refusal)
        used += 1
        return ok({ guards: [guardLimit(context, request)], count: null })
      })
    },
    async confirm() {},
    async release() {},
    async setLimit(context, { organizationId }) {
      return ok(await countSeats(context, organizationId))
    },
    async usage(context, organizationId, type) {
      return ok(await countSeats(context, organizationId, type))
    },
  }
}

function isGrowth({ kind }: SeatRequest): boolean {
  return kind === 'new' || kind === 'awaited'
}

// The refusal's numbers are in the guard's code, so that they are those of the decision. A bound number
// would be written with a decimal point, hence the cast. A user who is already a member passes, so that
// the unique key refuses the write with `already_member`; a promotion has no such key.
function guardLimit(
  context: SeatContext,
  { organizationId, seatId, holder, kind, promotes }: SeatRequest
): Statement {
  const { db, now } = context
  const type = typeOfSeat(seatId)
  const unlimitedMark = -1
  const unknownMark = -2
  const defaultLimit = limitByDefault(context, type)
  const fallback =
    defaultLimit.kind === 'finite'
      ? defaultLimit.seats
      : defaultLimit.kind === 'unlimited'
        ? unlimitedMark
        : unknownMark
  const stored =
    type === null
      ? sql`case limit_kind
          when 'finite' then limit_seats
          when 'unlimited' then ${unlimitedMark}
          else ${unknownMark}
        end`
      : sql`case json_type(type_limits, ${`$.${type}`})
          when 'integer' then type_limits ->> ${`$.${type}`}
          when 'text' then ${unlimitedMark}
        end`
  const isNoMember = sql` and not exists (
        select 1 from seatgate_memberships
        where organization_id = ${organizationId} and user_id = ${holder} and status = 'active'
      )`
  return guardSelecting(
    db,
    sql`select case
        when seats = ${unknownMark} then 'seats_unavailable'
        else 'seat_limit_reached:' || seats || ':' || used${type === null ? sql`` : sql` || ${typeInCode(context, type)}`}
      end
      from (select ${seatsHeld(organizationId, type)} + ${seatsReserved(organizationId, reservedSince(now()), type)} as used,
        ${kind === 'awaited' ? sql`0` : waitingFor(organizationId, context, type)} as line, coalesce((
        select ${stored} from seatgate_entitlements where organization_id = ${organizationId}
      ), cast(${fallback} as integer)) as seats)
      where (seats = ${unknownMark} or (seats >= 0 and used + line >= seats))${promotes ? sql`` : isNoMember}`
  )
}
