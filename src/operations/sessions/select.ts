import { observed } from '../../engine/access/observed.ts'
import { checkOptionNames } from '../../base/names.ts'
import { desc } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import {
  organizationView,
  ownOrganizations,
  type Organization,
  type OwnRow,
} from '../../engine/model/organization.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Session } from '../../engine/access/principal.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/** The organization that a user works in. With several the user has to choose. */
export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly organization: Organization; readonly membership: Membership }
  | { readonly kind: 'multiple'; readonly organizations: readonly Organization[] }

/**
 * Selects the organization that a user works in: the only one, or of several the one they worked in
 * before (`previous`, its id). Otherwise returns all of them, the newest organization first. One query,
 * without writes.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const selection = await selectActiveOrganization(seatgate, userId, { previous: lastOrganizationId })
 * if (selection.kind === 'multiple') return showChoice(selection.organizations)
 * ```
 */
export function selectActiveOrganization(
  context: DatabaseContext,
  userId: string,
  options: SelectOptions = {}
): Promise<Selection> {
  return observed(context, 'session.select', async ({ db }) => {
    checkOptionNames('selectActiveOrganization', options, ['previous'])
    return selectionOf(db, userId, options)
  })
}

interface SelectOptions {
  readonly previous?: string | null
}

async function selectionOf(
  db: Database,
  userId: string,
  { previous = null }: SelectOptions
): Promise<Selection> {
  const { own } = await batch(db, { own: newestOrganizations(db, userId) })
  return select(own, previous)
}

/** Selects without a database. */
function select(own: readonly OwnRow[], previous: string | null): Selection {
  const [first] = own
  if (first === undefined) return { kind: 'none' }
  const chosen =
    own.length === 1 ? first : own.find(({ organization }) => organization.id === previous)
  return chosen
    ? {
        kind: 'one',
        organization: organizationView(chosen.organization),
        membership: membershipView(chosen.membership),
      }
    : {
        kind: 'multiple',
        organizations: own.map(({ organization }) => organizationView(organization)),
      }
}

/** Selects all live organizations of a user with their memberships, the newest organization first. */
export function newestOrganizations(db: Database, userId: string) {
  return ownOrganizations(db, userId).orderBy(desc(organizations.createdAt), desc(organizations.id))
}

/**
 * Sets the active organization of a new session: the user's only one, or the one they worked in before.
 * Leaves it unset with no or several organizations. A failure is reported and does not prevent the login.
 *
 * @example
 * ```ts
 * const session = await activateAtLogin(seatgate, userId, { id: tokenHash, activeOrganizationId: null })
 * ```
 */
export function activateAtLogin(
  context: SessionStoreContext & Pick<Runtime, 'report'>,
  userId: string,
  session: Session,
  options: SelectOptions = {}
): Promise<Session> {
  return observed(context, 'session.activate', async (context) => {
    checkOptionNames('activateAtLogin', options, ['previous'])
    const { db, sessions, report } = context
    if (sessions === null) return session
    try {
      const selection = await selectionOf(db, userId, options)
      if (selection.kind !== 'one') return session
      const moved = await sessions.updateActiveOrganization(db, session, selection.organization.id)
      return moved.ok ? moved.value : session
    } catch (error) {
      report({ event: 'activation_at_login_failed', error })
      return session
    }
  })
}
