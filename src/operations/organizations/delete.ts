import { and, eq, inArray, sql } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import {
  attributionOf,
  userIdOf,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { jobs, joinRequests, organizationDomains, organizations } from '../../database/schema.ts'
import { withHook } from '../../engine/model/plan.ts'
import type { HookContext } from '../../engine/model/hooks.ts'
import { endInvitations } from '../../engine/model/end-invitation.ts'
import { guardOnlyUnfinished } from '../../engine/model/invitation.ts'
import { unfinishedIn } from '../../engine/model/invitation-lookup.ts'
import { bothOf, parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { readProof, withoutProof, type ProofInput } from '../../engine/access/step-up.ts'
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
import type { Runtime } from '../../base/runtime.ts'
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
  context: ChangeContext & SessionStoreContext,
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
      queries: { open: unfinishedIn(db, scope) },
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
        const revoked = endInvitations(context, open, {
          reason: 'organization_deleted',
          by: userIdOf(caller),
          now,
        })
        const pointers = endPointers(context, [{ organizationId, userId: null }])
        return ok({
          value: { ...organization, deletedAt: now.toISOString() },
          proof: parsed.value,
          before: [{ hook: 'beforeDeleteOrganization', state: { organization, caller } }],
          statements: [
            guardAccess(context, access.value),
            guardField(context, current, 'name'),
            guardOnlyUnfinished(context, organizationId, open),
            ...revoked.statements,
            ...pointers.statements,
            ...tellRequests(context, caller, organizationId, now),
            ...closeDoors(context, organizationId, now),
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

// One statement for any number of requests: it creates the rows of the hooks' jobs, and the sweep runs
// them.
function tellRequests(
  { db, hooks, newId }: DatabaseContext & Pick<HookContext, 'hooks'> & Pick<Runtime, 'newId'>,
  caller: Principal,
  organizationId: string,
  now: Date
): readonly Statement[] {
  if (!hooks.afterJoinRequestClose) return []
  const createdAt = sql`strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch')`
  const id = sql`${newId()} || ':' || id`
  const actor = JSON.stringify(attributionOf(caller).actor)
  const payload = sql`json_object('request', json_object('id', id, 'organizationId', organization_id,
      'userId', user_id, 'role', role, 'state', 'closed',
      'createdAt', ${createdAt}, 'updatedAt', ${now.toISOString()}),
    'path', 'organization_deleted', 'actor', json(${actor}), 'eventId', ${id})`
  return [
    db.insert(jobs).select(sql`select ${id}, organization_id, 'afterJoinRequestClose', ${payload},
      0, ${now.getTime()}, null, ${now.getTime()} from seatgate_join_requests
      where organization_id = ${organizationId} and state in ('open', 'waiting')`),
  ]
}

// The waitlist ends with the organization, and its domains may be verified for another one.
function closeDoors(
  { db }: DatabaseContext,
  organizationId: string,
  now: Date
): readonly Statement[] {
  return [
    db
      .update(joinRequests)
      .set({ state: 'closed', updatedAt: now })
      .where(
        and(
          eq(joinRequests.organizationId, organizationId),
          inArray(joinRequests.state, ['open', 'waiting'])
        )
      ),
    db
      .update(organizationDomains)
      .set({ verifiedAt: null, updatedAt: now })
      .where(eq(organizationDomains.organizationId, organizationId)),
  ]
}
