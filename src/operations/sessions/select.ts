import { checkOptionNames } from '../../base/names.ts'
import { desc } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { organizations } from '../../database/schema.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { ownOrganizations, type OwnRow } from '../../engine/model/organization.ts'

/** Which organization somebody is to work in. With several, it is theirs to say. */
export type Selection =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly organization: Organization; readonly membership: Membership }
  | { readonly kind: 'multiple'; readonly organizations: readonly Organization[] }

/**
 * Chooses the organization that somebody is to work in: the only one, or of several the one they
 * worked in before (`previous`, its id). Otherwise all of them are answered, the newest organization
 * first. One query, which writes nothing.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const selection = await selectActiveOrganization(seatgate, userId, { previous: lastOrganizationId })
 * if (selection.kind === 'multiple') return showChoice(selection.organizations)
 * ```
 */
export async function selectActiveOrganization(
  { db }: DatabaseContext,
  userId: string,
  options: { readonly previous?: string | null } = {}
): Promise<Selection> {
  checkOptionNames('selectActiveOrganization', options, ['previous'])
  const { own } = await batch(db, { own: newestOrganizations(db, userId) })
  return select(own, options.previous ?? null)
}

/** The pure choice. */
export function select(own: readonly OwnRow[], previous: string | null): Selection {
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

/** Selects all of somebody's live organizations with their memberships, the newest organization first. */
export function newestOrganizations(db: Database, userId: string) {
  return ownOrganizations(db, userId).orderBy(desc(organizations.createdAt), desc(organizations.id))
}
