import { organizations } from '../database/schema.ts'
import { parseInput } from '../input.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { invalid } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Scope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { CreateOrganizationInput } from './input.ts'
import { organizationView, type Organization } from './organization.ts'
import { organizationNamed } from './reference.ts'

/**
 * Creates an organization `{ name, slug? }`. Who asks becomes its owner and takes the first seat,
 * which is counted and never refused. Without a slug one is made of the name.
 *
 * Refusals: `unauthenticated`, `validation_error` (on `name` and `slug`, a taken slug included),
 * `seats_unavailable`.
 *
 * @example
 * ```ts
 * const created = await createOrganization(seatgate, { caller: { userId } }, { name: 'Acme' })
 * ```
 */
export async function createOrganization(
  seatgate: Seatgate,
  scope: Scope,
  input: unknown,
  options: OperationOptions = {}
): Promise<Result<Organization>> {
  const { db, roles, newId } = seatgate
  const parsed = parseInput(CreateOrganizationInput, input)
  const slug = parsed.ok ? parsed.value.slug : ''
  const { caller, requestId } = scope
  return perform(
    seatgate,
    { caller, ...(requestId !== undefined && { requestId }) },
    {
      name: 'organization.create',
      input,
      grows: true,
      queries: {
        taken: db
          .select({ id: organizations.id })
          .from(organizations)
          .where(organizationNamed(slug)),
      },
      plan({ rows }, { userId }, now) {
        if (!parsed.ok) return parsed
        if (rows.taken.length > 0) return refused(invalid({ slug: ['Is taken.'] }))
        const organizationId = newId()
        const stamps = { createdAt: now, updatedAt: now }
        const organization = { id: organizationId, ...parsed.value, ...stamps }
        return ok({
          value: organizationView(organization),
          organizationId,
          statements: [db.insert(organizations).values({ ...organization, ownerUserId: userId })],
          admission: {
            membership: {
              id: newId(),
              organizationId,
              userId,
              role: roles.owner,
              status: 'active',
              ...stamps,
            },
            founding: true,
          },
          events: [
            {
              action: 'organization.create',
              target: { type: 'organization', id: organizationId },
              metadata: {},
            },
          ],
        })
      },
    },
    options
  )
}
