import { eq } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { withHook } from '../../engine/model/plan.ts'
import { NOTHING_LOST, type LossContext } from '../../engine/model/leave.ts'
import type { JoiningMembersContext } from '../../engine/model/joining-members.ts'
import { bothOf, parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { proving, readProof, withoutProof, type ProofInput } from '../../engine/access/step-up.ts'
import {
  HOOK_REFUSALS,
  PROOF_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type ProofRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { endPointers, type SessionStoreContext } from '../../engine/model/session-store.ts'
import { DeleteOrganizationInput } from './organization-input.ts'
import { guardField, organizationView, type Organization } from '../../engine/model/organization.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'

/** A deleted organization, which can be restored. */
export interface DeletedOrganization extends Organization {
  readonly deletedAt: string
}

/** The input of {@link softDeleteOrganization}, with a proof of identity. */
export interface DeleteOrganizationInput extends ProofInput {
  /** The name of the organization, typed again. */
  readonly confirmName: string
}

/** Why {@link softDeleteOrganization} refuses. */
export type SoftDeleteOrganizationRefusal =
  | AccessRefusal
  | InputRefusal
  | ProofRefusal
  | HookRefusal
  | StoreRefusal

/**
 * Deletes an organization `{ confirmName, password | stepUpProof }`, for owners. `confirmName` is the
 * name, typed. From the next request on the organization does not exist for any caller but operators; its
 * slug and domains are free, its sessions point to no organization, its invitations are revoked, its
 * waitlist is closed, and its ledger is emptied. Memberships stay unchanged, seats included, so that
 * `restoreOrganization` brings every member back.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `ProofRefusal`, `HookRefusal`, `StoreRefusal`.
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`.
 *
 * @example
 * ```ts
 * await softDeleteOrganization(seatgate, scope, { confirmName: 'Acme', password })
 * ```
 */
export async function softDeleteOrganization(
  context: ChangeContext & SessionStoreContext & LossContext & JoiningMembersContext,
  scope: OrganizationScope,
  input: DeleteOrganizationInput,
  options: OperationOptions = {}
): Promise<Result<DeletedOrganization, SoftDeleteOrganizationRefusal>> {
  const { db, roles } = context
  const parsed = bothOf(
    parseInput(DeleteOrganizationInput, input),
    readProof(context, scope.caller, input)
  )
  return perform(
    context,
    scope,
    {
      name: 'organization.delete',
      input: withoutProof(input),
      grows: false,
      refusals: [...PROOF_REFUSALS, ...HOOK_REFUSALS],
      queries: { open: context.invitations?.members.inOrganization(db, scope) ?? null },
      plan(found, caller, now) {
        const access = authorizeRole(roles, found, [roles.owner])
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const current = access.value.organization
        const { id: organizationId, name } = current
        if (parsed.value.confirmName !== name) {
          return refused(invalid({ confirmName: ['Must be the name of the organization.'] }))
        }
        const organization = organizationView({ ...current, updatedAt: now })
        const { open } = found.rows
        const revoked =
          context.invitations?.members.endAll(
            context,
            organizationId,
            open,
            userIdOf(caller),
            now
          ) ?? NOTHING_LOST
        const pointers = endPointers(context, [{ organizationId, userId: null }])
        return ok({
          value: { ...organization, deletedAt: now.toISOString() },
          proof: proving(parsed.value),
          before: [{ hook: 'beforeDeleteOrganization', state: { organization, caller } }],
          statements: [
            guardAccess(context, access.value),
            guardField(context, current, 'name'),
            ...revoked.statements,
            ...pointers.statements,
            ...(context.joining?.members.closeAll(context, caller, organizationId, now) ?? []),
            db
              .update(organizations)
              .set({ deletedAt: now, updatedAt: now })
              .where(eq(organizations.id, organizationId)),
          ],
          // The outbox releases the seats of the invitations later; no user waits for them any more.
          events: [
            ...revoked.events,
            withHook(
              organizationEvent(organizationId, 'organization.delete'),
              'afterDeleteOrganization',
              { organization }
            ),
          ],
          jobs: pointers.jobs,
        })
      },
    },
    options
  )
}
