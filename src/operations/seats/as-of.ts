import { observed } from '../../engine/access/observed.ts'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { parseQuery } from '../../base/parameters.ts'
import { Instant } from '../../base/instant.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { find, authorizeFor } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { ok, type AccessRefusal, type InputRefusal, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { limitView, type SeatLimitView } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'

const Input = v.object({ at: Instant }, 'Must be an object.')

/**
 * The seats of an organization at an instant. Without numbers if the organization did not exist yet
 * (`never_existed`), was deleted, or the trail begins later (`before_horizon`).
 */
export type SeatsAsOf =
  | {
      readonly status: 'present'
      readonly held: number
      readonly reserved: number
      readonly limit: SeatLimitView
      /** The sequence of the last event at that instant. */
      readonly sequence: number
    }
  | { readonly status: 'never_existed' | 'deleted' | 'before_horizon' }

interface Row {
  readonly sequence: number | null
  readonly began: string | null
  readonly ended: string | null
  readonly held: number
  readonly reserved: number
  readonly limitThen: string | null
}

/** The input of {@link seatsAsOf}. */
export interface SeatsAsOfInput {
  /** The instant: a `Date`, or an RFC 3339 date-time. */
  readonly at: Date | string
}

/** Why {@link seatsAsOf} refuses. */
export type SeatsAsOfRefusal = AccessRefusal | InputRefusal

/**
 * Returns the seats of the default type of an organization at an instant `{ at }`, computed from its trail
 * in commit order, up to the last event at that instant. If retention has purged that part, the result is
 * `before_horizon`. An organization without a recorded limit gets the current default. With
 * `unlimitedSeats()` no seats are recorded.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const then = await seatsAsOf(seatgate, scope, { at: '2026-06-30T23:59:59Z' })
 * if (then.ok && then.value.status === 'present') console.log(then.value.held, then.value.limit)
 * ```
 */
export function seatsAsOf(
  context: AccessContext & Pick<ProviderContext, 'seatContext'>,
  scope: OrganizationScope,
  input: SeatsAsOfInput
): Promise<Result<SeatsAsOf, SeatsAsOfRefusal>> {
  return observed(context, 'seat.as_of', async (context) => {
    const { db, roles, seatContext } = context
    const parsed = parseQuery(Input, input)
    const at = parsed.ok ? parsed.value.at : new Date(0)
    const found = await find(db, scope, {
      past: seatsAt(context, scope, at),
    })
    const access = authorizeFor(roles, found, 'members:manage')
    if (!access.ok) return access
    if (!parsed.ok) return parsed
    const row: Row | undefined = found.rows.past[0]
    if (!row?.sequence) {
      return ok({
        status: row?.began === 'organization.create' ? 'never_existed' : 'before_horizon',
      })
    }
    if (row.ended === 'organization.delete') return ok({ status: 'deleted' })
    const { held, reserved, sequence } = row
    const limit: SeatLimitView =
      row.limitThen === null ? limitView(seatContext.defaultLimit) : JSON.parse(row.limitThen)
    return ok({ status: 'present', held, reserved, limit, sequence })
  })
}

// The last event about a seat decides its state; a reservation counts until it expires. The purged part
// of the trail is replaced by the seats that were carried over. Computed in steps, because D1 refuses
// expressions that are too deep.
function seatsAt(
  { db, roles }: AccessContext,
  { caller, organization }: OrganizationScope,
  at: Date
) {
  const ofDefaultType = sql`id not glob '~[a-z]*/*'`
  const past = sql`(
    with place(place_id) as materialized (
      select ${organizationIdOf(organization)} where ${readable(caller, organization, { roles, permission: 'members:manage' })}
    ),
    head(place_id, sequence) as materialized (
      select place_id, (select sequence from seatgate_audit_events where organization_id = place_id
        and inserted_at <= ${at.getTime()} order by sequence desc limit 1) from place
    ),
    told(id, action, invitation_id, expires_at, sequence) as materialized (
      select seat_id, iif(invitation_id is null, 'seat.assigned', 'seat.reserved'),
        invitation_id, expires_at, 0
      from place cross join seatgate_audit_carried_seats on organization_id = place_id
      union all
      select target_id, action, json_extract(metadata, '$.invitation_id'),
        json_extract(metadata, '$.expires_at'), seatgate_audit_events.sequence
      from seatgate_audit_events join head
      where organization_id = place_id and seatgate_audit_events.sequence <= head.sequence
        and action in ('seat.reserved', 'seat.assigned', 'seat.released',
          'organization.invitation.resent')
    ),
    seats(id, action, invitation_id, sequence) as materialized (
      select id, action, invitation_id, max(sequence) from told
      where action <> 'organization.invitation.resent' group by id
    ),
    promises(invitation_id, expires_at, sequence) as materialized (
      select invitation_id, expires_at, max(sequence) from told
      where action in ('seat.reserved', 'organization.invitation.resent') group by 1
    ),
    gone(lifecycle, seat_limit) as materialized (
      select lifecycle, seat_limit from place cross join seatgate_audit_purges on organization_id = place_id
      order by last_sequence desc limit 1
    )
    select sequence,
      (select action from seatgate_audit_events where organization_id = place_id order by sequence limit 1) as began,
      coalesce((select action from seatgate_audit_events where organization_id = place_id
        and seatgate_audit_events.sequence <= head.sequence
        and action in ('organization.create', 'organization.delete', 'organization.restore')
        order by sequence desc limit 1), (select lifecycle from gone)) as ended,
      coalesce((select metadata -> '$.limit' from seatgate_audit_events where organization_id = place_id
        and seatgate_audit_events.sequence <= head.sequence and action = 'seat.limit_changed'
        order by sequence desc limit 1), (select seat_limit from gone)) as limit_then,
      (select count(*) from seats where action = 'seat.assigned' and ${ofDefaultType}) as held,
      (select count(*) from seats where action = 'seat.reserved' and ${ofDefaultType} and coalesce(
        (select expires_at from promises where promises.invitation_id = seats.invitation_id),
        (select strftime('%Y-%m-%dT%H:%M:%fZ', expires_at / 1000.0, 'unixepoch')
          from seatgate_invitations where seatgate_invitations.id = seats.invitation_id)
      ) > ${at.toISOString()}) as reserved
    from head
  )`
  return db
    .select({
      sequence: sql<number | null>`sequence`.as('sequence'),
      began: sql<string | null>`began`.as('began'),
      ended: sql<string | null>`ended`.as('ended'),
      held: sql<number>`held`.as('held'),
      reserved: sql<number>`reserved`.as('reserved'),
      limitThen: sql<string | null>`limit_then`.as('limit_then'),
    })
    .from(past)
}
