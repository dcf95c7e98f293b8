import { eq } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import {
  ok,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { RenameOrganizationInput, UpdateOrganizationInput } from './organization-input.ts'
import { guardField, organizationView, type Organization } from '../../engine/model/organization.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'

/** The input of {@link renameOrganization} and {@link updateOrganization}. */
export interface RenameOrganizationInput {
  readonly name: string
}

/** Why {@link renameOrganization} refuses. */
export type RenameOrganizationRefusal = AccessRefusal | InputRefusal | StoreRefusal

/**
 * Renames an organization `{ name }`; its slug stays, other keys are ignored. The same name changes no
 * row.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`.
 *
 * @example
 * ```ts
 * await renameOrganization(seatgate, { caller, organization: 'acme' }, { name: 'Acme Inc.' })
 * ```
 */
export async function renameOrganization(
  context: ChangeContext,
  scope: OrganizationScope,
  input: RenameOrganizationInput,
  options: OperationOptions = {}
): Promise<Result<Organization, RenameOrganizationRefusal>> {
  const parsed = parseInput(RenameOrganizationInput, input)
  return changeName(context, scope, 'organization.rename', input, parsed, options)
}

/** Why {@link updateOrganization} refuses. */
export type UpdateOrganizationRefusal = RenameOrganizationRefusal

/**
 * Updates an organization's plain fields `{ name }`. Refuses a slug, which `updateSlug` changes with a
 * password and a confirmation.
 *
 * Refusals: `RenameOrganizationRefusal`.
 *
 * @example
 * ```ts
 * await updateOrganization(seatgate, { caller, organization: 'acme' }, { name: 'Acme Inc.' })
 * ```
 */
export async function updateOrganization(
  context: ChangeContext,
  scope: OrganizationScope,
  input: RenameOrganizationInput,
  options: OperationOptions = {}
): Promise<Result<Organization, UpdateOrganizationRefusal>> {
  const parsed = parseInput(UpdateOrganizationInput, input)
  return changeName(context, scope, 'organization.update', input, parsed, options)
}

async function changeName(
  context: ChangeContext,
  scope: OrganizationScope,
  action: 'organization.rename' | 'organization.update',
  input: unknown,
  parsed: Result<{ readonly name: string }, InputRefusal>,
  options: OperationOptions
): Promise<Result<Organization, RenameOrganizationRefusal>> {
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: action,
      input,
      grows: false,
      refusals: [],
      queries: {},
      plan(found, _caller, now) {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { organization } = access.value
        const { id, name: oldName } = organization
        const { name } = parsed.value
        if (name === oldName) return ok(unchanged(organizationView(organization)))
        return ok({
          value: organizationView({ ...organization, name, updatedAt: now }),
          statements: [
            guardAccess(context, access.value),
            guardField(context, organization, 'name'),
            db.update(organizations).set({ name, updatedAt: now }).where(eq(organizations.id, id)),
          ],
          events: [
            organizationEvent(
              id,
              action,
              action === 'organization.rename' ? { old_name: oldName, new_name: name } : {}
            ),
          ],
        })
      },
    },
    options
  )
}
