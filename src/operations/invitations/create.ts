import { partOf } from '../../engine/changes/part.ts'
import { sql } from 'drizzle-orm'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import { membersWithAddresses, unfinishedFor } from '../../engine/model/invitation-lookup.ts'
import { drawToken, tokenSealing } from './token.ts'
import { mayInvite, type HasRoles, isConfigured, unknownRole } from '../../engine/access/roles.ts'
import {
  invitationInput,
  planInvitation,
  warnOfLongTtl,
  writeInvitations,
  type CreateInvitationInput,
} from './plan-invitation.ts'
import { countedSoFar, countMore, ratesOf, reached } from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link createInvitation} refuses. */
export type CreateInvitationRefusal =
  | AccessRefusal
  | InputRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'stored_result_unreadable'
  | 'rate_limited_user'
  | 'rate_limited_organization'
  | 'already_member'

/**
 * Invites an address `{ email, role, locale? }`. Only this result has the two tokens: `token` for the
 * inviter to pass on, and `mailToken` for a host that sends the mail itself. With a `mailer` the mail is
 * sent, or delayed if the address has received too many lately. An address that is invited again gets new
 * tokens, which revoke the old ones, and keeps its seat.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `email` and `role`), `SeatRefusal`, `HookRefusal`,
 * `StoreRefusal`, `stored_result_unreadable`, `rate_limited_user`, `rate_limited_organization`, `already_member`.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 *
 * @example
 * ```ts
 * const invited = await createInvitation(seatgate, scope, { email: 'ann@example.com', role: 'member' })
 * if (invited.ok) console.log(link(invited.value.token))
 * ```
 */
export async function createInvitation<Role extends string = string>(
  context: InvitationContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: CreateInvitationInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<InvitationWithToken, CreateInvitationRefusal>> {
  const { db, roles, newId } = context
  const { limits, holdSeats, ttlSeconds } = partOf(context, 'invitations')
  warnOfLongTtl(context)
  const parsed = parseInput(invitationInput(roles), input)
  const email = parsed.ok ? parsed.value.email : ''
  const id = newId()
  const expiresAt = new Date(context.now().getTime() + ttlSeconds * 1000)
  const seed = await drawToken(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.invitation.create',
      input,
      grows: holdSeats,
      refusals: [
        ...HOOK_REFUSALS,
        ...SEAT_REFUSALS,
        'rate_limited_user',
        'rate_limited_organization',
      ],
      sealing: tokenSealing(context, seed),
      queries: {
        existing: membersWithAddresses(context, scope, sql`select ${email}`),
        open: unfinishedFor(db, scope, email),
        counted: countedSoFar(db, scope.caller, organizationIdOf(scope.organization)),
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        const { organization } = access.value
        if (!parsed.ok) return parsed
        const { role, locale = null } = parsed.value
        if (!isConfigured(access.value.roles, role)) return unknownRole(access.value.roles)
        if (!mayInvite(access.value.roles, access.value, role)) {
          return refused({ code: 'insufficient_role' })
        }
        const organizationId = organization.id
        const rates = ratesOf(limits, { caller, organizationId })
        const full = reached(rates, found.rows.counted, now)
        if (full !== null) return refused(full)
        if (found.rows.existing.length > 0) return refused({ code: 'already_member' })

        const planned = planInvitation(
          context,
          {
            id,
            organizationId,
            email,
            role,
            locale,
            expiresAt,
            seed,
            earlier: found.rows.open[0] ?? null,
          },
          caller,
          now
        )
        const { value, before, claim, jobs } = planned
        const writes = writeInvitations(context, [planned], caller, now)
        return ok({
          ...writes,
          value,
          before,
          statements: [
            guardAccess(context, access.value),
            ...writes.statements,
            ...countMore(context, rates, 1, now),
          ],
          claims: claim ? [claim] : [],
          jobs,
        })
      },
    },
    options
  )
}
