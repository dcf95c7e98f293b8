import type { Statement } from '../database/database.ts'
import type { Membership } from '../memberships/membership.ts'
import type { Organization } from '../organizations/organization.ts'
import type { AuditActor } from '../audit/event.ts'
import type { Principal } from '../scope.ts'

/**
 * What a `before…` hook answers: nothing stands against it, or the host's own reason why not. Made
 * by {@link allow} and {@link refuse}.
 */
export type HookAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/** What `beforeCreateOrganization` answers: it may put another draft in place of the one it was shown. */
export type DraftAnswer = HookAnswer | { readonly ok: true; readonly draft: OrganizationDraft }

/** What an organization is to be made of, before anybody has checked it. */
export interface OrganizationDraft {
  readonly name?: unknown
  readonly slug?: unknown
}

/** Nothing stands against it. */
export function allow(): HookAnswer {
  return { ok: true }
}

/**
 * Refuses, with a reason that reaches the client unchanged as `reason` of `hook_refused`.
 *
 * @example
 * ```ts
 * refuse('contractors_cannot_be_admins', 'Ask your account manager.')
 * ```
 */
export function refuse(reason: string, detail?: string): HookAnswer {
  return { ok: false, reason, ...(detail !== undefined && { detail }) }
}

/** The states that `before…` hooks are shown: who is about to do what. */
export interface BeforeStates {
  /** Sees invalid drafts too. A changed draft is validated again. */
  readonly beforeCreateOrganization: {
    readonly draft: OrganizationDraft
    readonly caller: Principal
  }
  readonly beforeDeleteOrganization: {
    readonly organization: Organization
    readonly caller: Principal
  }
  /** Asked before the seat is, on every path but the founder's. */
  readonly beforeAddMember: {
    readonly organizationId: string
    readonly userId: string
    readonly role: string
    readonly caller: Principal
  }
  /** Not asked when a user is deleted: that is not the organization's to refuse. */
  readonly beforeMemberRemove: { readonly membership: Membership; readonly caller: Principal }
  readonly beforeRoleChange: {
    readonly membership: Membership
    readonly newRole: string
    readonly caller: Principal
  }
  readonly beforeTransfer: {
    readonly from: Membership
    readonly to: Membership
    readonly caller: Principal
  }
}

/**
 * The states that `after…` hooks are shown: what was committed. Plain JSON, so that a retry is shown
 * the same.
 */
export interface AfterStates {
  readonly afterCreateOrganization: {
    readonly organization: Organization
    readonly actor: AuditActor
  }
  readonly afterDeleteOrganization: {
    readonly organization: Organization
    readonly actor: AuditActor
  }
  readonly afterAddMember: { readonly membership: Membership; readonly actor: AuditActor }
  /** `reason`: `left`, `user_deleted`, or null for a removal. `membership` is as it was. */
  readonly afterMemberRemove: {
    readonly membership: Membership
    readonly reason: string | null
    readonly actor: AuditActor
  }
  /** `membership` has the new role. */
  readonly afterRoleChange: {
    readonly membership: Membership
    readonly oldRole: string
    readonly actor: AuditActor
  }
  readonly afterTransfer: {
    readonly from: Membership
    readonly to: Membership
    readonly actor: AuditActor
  }
}

export type BeforeHook = keyof BeforeStates
export type AfterHook = keyof AfterStates

type MaybePromise<T> = T | Promise<T>

/**
 * The host's word on what happens, by name. All of them run outside the batch.
 *
 * - `before…` may refuse; then nothing is written. It may be asked again if what it was shown has
 *   changed meanwhile, and must therefore cause nothing. One that throws, takes too long or answers
 *   anything else refuses with `hook_failed`.
 * - `after…` runs once the change is committed, at least once: one that throws is tried again later
 *   and changes no answer.
 *
 * The founder's membership runs the organization's hooks and no member hook.
 *
 * @example
 * ```ts
 * const hooks: Hooks = {
 *   beforeAddMember: ({ role }) => (role === 'guest' ? refuse('no_guests') : allow()),
 *   afterAddMember: ({ membership }) => welcome(membership.userId),
 * }
 * ```
 */
export type Hooks = {
  readonly [K in Exclude<BeforeHook, 'beforeCreateOrganization'>]?: (
    state: BeforeStates[K]
  ) => MaybePromise<HookAnswer>
} & {
  readonly beforeCreateOrganization?: (
    state: BeforeStates['beforeCreateOrganization']
  ) => MaybePromise<DraftAnswer>
} & {
  readonly [K in AfterHook]?: (state: AfterStates[K]) => MaybePromise<unknown>
}

/** What a lifecycle hook answers: all statements of the batch, its own among them, or a reason why not. */
export type LifecycleAnswer =
  | { readonly ok: true; readonly statements: readonly Statement[] }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/**
 * A hook in the life of a user: it is shown the statements of the operation so far and answers them
 * with its own. They belong to one batch: either everything is written or nothing. It must not call
 * anybody; what is to be done outside is done by an `after…` hook.
 */
export type LifecycleHook = (
  statements: readonly Statement[],
  context: { readonly userId: string }
) => MaybePromise<LifecycleAnswer>

/**
 * Hooks in the life of a user.
 *
 * @example
 * ```ts
 * const lifecycle: LifecycleHooks = {
 *   onDelete: (statements, { userId }) => ({
 *     ok: true,
 *     statements: [...statements, db.delete(users).where(eq(users.id, userId))],
 *   }),
 * }
 * ```
 */
export interface LifecycleHooks {
  readonly onRegister?: LifecycleHook
  readonly onPasswordChange?: LifecycleHook
  readonly onEmailChange?: LifecycleHook
  readonly onDelete?: LifecycleHook
}

/** Every hook there is, and whether what it answers becomes part of the batch. */
export const HOOKS = {
  beforeCreateOrganization: { inBatch: false },
  afterCreateOrganization: { inBatch: false },
  beforeDeleteOrganization: { inBatch: false },
  afterDeleteOrganization: { inBatch: false },
  beforeAddMember: { inBatch: false },
  afterAddMember: { inBatch: false },
  beforeMemberRemove: { inBatch: false },
  afterMemberRemove: { inBatch: false },
  beforeRoleChange: { inBatch: false },
  afterRoleChange: { inBatch: false },
  beforeTransfer: { inBatch: false },
  afterTransfer: { inBatch: false },
  onRegister: { inBatch: true },
  onPasswordChange: { inBatch: true },
  onEmailChange: { inBatch: true },
  onDelete: { inBatch: true },
} as const satisfies Record<keyof Hooks | keyof LifecycleHooks, { readonly inBatch: boolean }>
