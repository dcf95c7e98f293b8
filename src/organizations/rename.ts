import { eq, sql } from 'drizzle-orm'
import { guard } from '../database/commit.ts'
import { organizations } from '../database/schema.ts'
import { parseInput } from '../input.ts'
import { guardStanding } from '../memberships/guards.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { unchanged } from '../operations/plan.ts'
import { ok, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { RenameOrganizationInput } from './input.ts'
import { organizationView, type Organization } from './organization.ts'
import { standingWith } from './standing.ts'

/**
 * Renames an organization `{ name }`; its slug stays. The name it has already changes nothing.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`.
 *
 * @example
 * ```ts
 * await renameOrganization(seatgate, { caller, organization: 'acme' }, { name: 'Acme Inc.' })
 * ```
 */
export async function renameOrganization(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: unknown,
  options: OperationOptions = {}
): Promise<Result<Organization>> {
  const parsed = parseInput(RenameOrganizationInput, input)
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.rename',
      input,
      grows: false,
      queries: {},
      plan(found, _caller, now) {
        const standing = standingWith(found, seatgate.roles.organizationAdmins)
        if (!standing.ok) return standing
        if (!parsed.ok) return parsed
        const { organization } = standing.value
        const { name } = parsed.value
        if (name === organization.name) {
          return ok(unchanged(organization.id, organizationView(organization)))
        }
        return ok({
          value: organizationView({ ...organization, name, updatedAt: now }),
          organizationId: organization.id,
          statements: [
            guardStanding(seatgate, standing.value),
            guard(
              seatgate.db,
              'stale',
              sql`exists (select 1 from organizations
                where id = ${organization.id} and name = ${organization.name})`
            ),
            seatgate.db
              .update(organizations)
              .set({ name, updatedAt: now })
              .where(eq(organizations.id, organization.id)),
          ],
          events: [
            {
              action: 'organization.rename',
              target: { type: 'organization', id: organization.id },
              metadata: { old_name: organization.name, new_name: name },
            },
          ],
        })
      },
    },
    options
  )
}
