import { observed } from '../../engine/access/observed.ts'
import { conclude } from '../../engine/changes/conclude.ts'
import { prepare } from '../../engine/changes/prepare-change.ts'
import { batch } from '../../database/batch.ts'
import { reasonOf } from '../../database/database.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { rightsOf, rolesIn } from '../../engine/access/roles.ts'
import { findActive, authorize, type Access } from '../../engine/access/authorize.ts'
import {
  isQuery,
  isUser,
  requestInfoOf,
  type Principal,
  type Scope,
  type Session,
  type UserPrincipal,
} from '../../engine/access/principal.ts'
import { newestOrganizations } from './select.ts'
import { pointerMoved, type SessionContext } from './put-active.ts'

/** The caller, and the organization that they work in, if any. */
export interface Loaded {
  readonly caller: Principal | null
  readonly organization: Organization | null
  /** The membership; null for a service account. */
  readonly membership: Membership | null
  /** The role of the membership or the service account. */
  readonly role: string | null
  /** The permissions of the role; empty without a role. */
  readonly permissions: readonly string[]
}

/**
 * Loads the caller and the active organization: that of their session, or the only one of a service
 * account. One round trip.
 *
 * A pointer into an organization that was deleted, or that the user has left, is never followed. It is
 * moved to the user's only other organization, or cleared if they do not have exactly one, and the move is
 * recorded. A failure in moving it leaves the user without an organization and refuses no request.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the caller is then unknown.
 *
 * @example
 * ```ts
 * const { caller, organization, role } = await loadActiveOrganization(seatgate, { caller: session })
 * ```
 */
export function loadActiveOrganization(context: SessionContext, scope: Scope): Promise<Loaded> {
  return observed(context, 'session.active_organization_load', async (context) => {
    const found = await findActive(context.db, scope.caller, {})
    const { caller } = found
    const inside = authorize(context.roles, found)
    if (inside.ok) return loaded(caller, inside.value)
    const session = caller && isUser(caller) ? caller.session : undefined
    if (!caller || !isUser(caller) || !session || session.activeOrganizationId === null) {
      return nowhere(caller)
    }
    // The caller's query did not select the pointer, so it is not stale.
    if (isQuery(scope.caller) && scope.caller.activeOrganizationId === undefined) {
      throw new TypeError('A query that finds a session also needs activeOrganizationId.')
    }
    try {
      return await recover(context, scope, caller, session)
    } catch (error) {
      context.report({
        event: 'active_organization_recovery_failed',
        organizationId: session.activeOrganizationId,
        error: reasonOf(error),
      })
      return nowhere(withPointer(caller, session, null))
    }
  })
}

async function recover(
  context: SessionContext,
  request: Scope,
  caller: UserPrincipal,
  session: Session
): Promise<Loaded> {
  const { db, sessions, now } = context
  const lost = nowhere(withPointer(caller, session, null))
  const { own } = await batch(db, { own: newestOrganizations(db, caller.userId) })
  const only = own.length === 1 ? (own[0] ?? null) : null
  const to = only?.organization.id ?? null
  if (sessions === null) return lost
  if (!sessions.statements) {
    const moved = await sessions.updateActiveOrganization(db, session, to)
    if (!moved.ok) return lost
  }
  const prepared = await prepare(
    context,
    { caller, ...requestInfoOf(request), now: now() },
    {
      value: null,
      statements: sessions.statements
        ? [
            ...(only ? [guardAccess(context, only)] : []),
            ...sessions.statements.update(db, session, to),
          ]
        : [],
      events: pointerMoved('organization.active_auto_reassigned', session.activeOrganizationId, to),
    }
  )
  const done = prepared.ok && (await conclude(context, prepared.value)).committed
  if (!done || only === null) return lost
  const rights = rightsOf(rolesIn(context.roles, only.organization), only.membership)
  return loaded(withPointer(caller, session, to), { ...only, ...rights })
}

function loaded(
  caller: Principal | null,
  { organization, membership, role, permissions }: Omit<Access, 'caller' | 'roles'>
): Loaded {
  return {
    caller,
    organization: organizationView(organization),
    membership: membership ? membershipView(membership) : null,
    role,
    permissions,
  }
}

function nowhere(caller: Principal | null): Loaded {
  return { caller, organization: null, membership: null, role: null, permissions: [] }
}

function withPointer(
  caller: UserPrincipal,
  session: Session,
  activeOrganizationId: string | null
): UserPrincipal {
  return { ...caller, session: { ...session, activeOrganizationId } }
}
