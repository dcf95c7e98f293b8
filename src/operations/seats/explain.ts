import { and, asc, desc, eq, isNotNull } from 'drizzle-orm'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { organizationIdOf, readable } from '../../engine/access/organization-ref.ts'
import { find, authorizeRole } from '../../engine/access/authorize.ts'
import { ok, type AccessRefusal, type Refusal, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { refusalAt } from '../../engine/seats/reserve-rules.ts'
import { isPending } from '../../engine/seats/counts.ts'
import { usageView, type SeatUsage } from '../../engine/seats/limit.ts'

/** The seats of an organization, and the refusal that a join would get. */
export interface SeatExplanation extends SeatUsage {
  /** The refusal of one more member; null if there is a seat. */
  readonly refusal: Refusal | null
  /** The members with a seat, newest first, at most 100. */
  readonly members: readonly { readonly userId: string; readonly role: string }[]
  /** The invitations that reserve a seat, the next to expire first, at most 100. */
  readonly invitations: readonly {
    readonly id: string
    readonly email: string
    readonly expiresAt: string
  }[]
  /** When the next reservation expires; null if there is none. */
  readonly nextExpiry: string | null
}

const MOST = 100

/** Why {@link explainSeats} refuses. */
export type ExplainSeatsRefusal = AccessRefusal | 'seats_unavailable'

/**
 * Explains an organization's seats to those who administer its members.
 *
 * Refusals: `AccessRefusal`, `seats_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const seats = await explainSeats(seatgate, { caller, organization: 'acme' })
 * if (seats.ok && seats.value.refusal) console.log(seats.value.refusal.code, seats.value.nextExpiry)
 * ```
 */
export async function explainSeats(
  context: AccessContext & ProviderContext & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<SeatExplanation, ExplainSeatsRefusal>> {
  const { db, roles, seats, seatContext, now } = context
  const { caller, organization } = scope
  const id = organizationIdOf(organization)
  const allowed = readable(caller, organization, roles.memberAdmins)
  const found = await find(db, scope, {
    members: db
      .select({ userId: memberships.userId, role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.organizationId, id), isNotNull(memberships.seatId), allowed))
      .orderBy(desc(memberships.createdAt), desc(memberships.id))
      .limit(MOST),
    invitations: db
      .select({
        id: invitations.id,
        email: invitations.email,
        expiresAt: invitations.expiresAt,
      })
      .from(invitations)
      .where(
        and(
          eq(invitations.organizationId, id),
          isPending(now()),
          isNotNull(invitations.seatId),
          allowed
        )
      )
      .orderBy(asc(invitations.expiresAt))
      .limit(MOST),
  })
  const access = authorizeRole(roles, found, roles.memberAdmins)
  if (!access.ok) return access
  const count = await seats.usage(seatContext, access.value.organization.id)
  if (!count.ok) return count
  const { limit, held, reserved } = count.value
  const pending = found.rows.invitations.map(({ expiresAt, ...row }) => ({
    ...row,
    expiresAt: expiresAt.toISOString(),
  }))
  return ok({
    ...usageView(count.value),
    refusal: refusalAt(limit, held + reserved),
    members: found.rows.members,
    invitations: pending,
    nextExpiry: pending[0]?.expiresAt ?? null,
  })
}
