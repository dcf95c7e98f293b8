import type { Statement } from '../../database/database.ts'
import type { EndingCause } from './end-invitation.ts'
import type { Invitation } from './invitation.ts'
import type { Domain, DomainMode, JoinRequest } from './join-request.ts'
import type { Membership } from './membership.ts'
import type { Organization } from './organization.ts'
import type { LimitRefusal } from '../../base/result.ts'
import type { AuditActor, Runtime } from '../../base/runtime.ts'
import type { Principal } from '../access/principal.ts'
import type { LimitNotice } from '../seats/notice-level.ts'

/**
 * The answer of a `before…` hook: no objection, or the host's reason for a refusal. Created by {@link
 * allow} and {@link refuse}.
 */
export type HookAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/** The answer of `beforeCreateOrganization`, which may replace the draft. */
export type DraftAnswer = HookAnswer | { readonly ok: true; readonly draft: OrganizationDraft }

/** The draft of an organization, before it is validated. */
export interface OrganizationDraft {
  readonly name?: unknown
  readonly slug?: unknown
}

/**
 * Allows the change.
 *
 * @example
 * ```ts
 * const hooks = { beforeAddMember: () => allow() }
 * ```
 */
export function allow(): HookAnswer {
  return { ok: true }
}

/**
 * Refuses, with a reason that the client receives unchanged as `reason` of `hook_refused`.
 *
 * @example
 * ```ts
 * refuse('contractors_cannot_be_admins', 'Ask your account manager.')
 * ```
 */
export function refuse(reason: string, detail?: string): HookAnswer {
  return { ok: false, reason, ...(detail !== undefined && { detail }) }
}

/**
 * How a user becomes an active member: `direct` (added by a member, or by the host), `invitation` and
 * `signup` (accepted by a user, or by a new one), `domain` and `request` (joined by the domain of their
 * address, or approved), `link` (by an invite link), `waiting_line` (first on the waitlist when a seat
 * became free), `restore` (after a suspension), `scim` (pushed by an identity provider).
 */
export type AddPath =
  | 'direct'
  | 'invitation'
  | 'signup'
  | 'domain'
  | 'request'
  | 'link'
  | 'waiting_line'
  | 'restore'
  | 'scim'

/** How a membership ends: by another user, by the member, or with the user. */
export type RemovePath = 'removed' | 'left' | 'user_deleted'

/** Why a membership is suspended. */
export type SuspendPath = 'admin' | 'over_limit'

/** How an invitation is accepted: by a user, or by a person who signs up. */
export type AcceptPath = 'invitation' | 'signup'

/**
 * Why an invitation is revoked: by a user; for a newer one, or because the person has joined in another
 * way (`superseded`); with the organization; or because its inviter may no longer send it.
 */
export type RevokePath = Exclude<EndingCause['reason'], 'declined'>

/** A request to join that is about to be created or put on the waitlist. */
interface JoinDraft {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

interface Asked {
  readonly caller: Principal
}

/** The arguments of `before…` hooks: the actor and the change. */
export interface BeforeStates {
  /** Receives invalid drafts too. A changed draft is validated again. */
  readonly beforeCreateOrganization: Asked & { readonly draft: OrganizationDraft }
  readonly beforeDeleteOrganization: Asked & { readonly organization: Organization }
  readonly beforeRestoreOrganization: Asked & { readonly organization: Organization }
  /** Called before the seat is claimed, on every path, but not for the founder of an organization. */
  readonly beforeAddMember: Asked & {
    readonly organizationId: string
    readonly userId: string
    readonly role: string
    readonly path: AddPath
  }
  /** Not called when a user is deleted: an organization cannot refuse that. */
  readonly beforeMemberRemove: Asked & {
    readonly membership: Membership
    readonly path: Exclude<RemovePath, 'user_deleted'>
  }
  readonly beforeMemberSuspend: Asked & {
    readonly membership: Membership
    readonly path: SuspendPath
  }
  readonly beforeRoleChange: Asked & { readonly membership: Membership; readonly newRole: string }
  readonly beforeTransfer: Asked & { readonly from: Membership; readonly to: Membership }
  /** Called for each of several invitations; refusing one leaves the others. */
  readonly beforeInvitationCreate: Asked & {
    readonly organizationId: string
    readonly email: string
    readonly role: string
  }
  readonly beforeInvitationResend: Asked & { readonly invitation: Invitation }
  readonly beforeInvitationRoleChange: Asked & {
    readonly invitation: Invitation
    readonly newRole: string
  }
  /** In addition to `beforeAddMember`. Called alone if the user is already a member. */
  readonly beforeInvitationAccept: Asked & {
    readonly invitation: Invitation
    readonly userId: string
    readonly path: AcceptPath
  }
  readonly beforeInvitationDecline: Asked & { readonly invitation: Invitation }
  /** Not called if an invitation ends with another change that has its own hook. */
  readonly beforeInvitationRevoke: Asked & { readonly invitation: Invitation }
  readonly beforeJoinRequestCreate: Asked & JoinDraft
  /** Called before a user is put on the waitlist. */
  readonly beforeJoinRequestQueue: Asked & JoinDraft
  /** In addition to `beforeAddMember`, or to `beforeJoinRequestQueue` if approved users wait. */
  readonly beforeJoinRequestApprove: Asked & {
    readonly request: JoinRequest
    readonly role: string
  }
  readonly beforeJoinRequestDecline: Asked & { readonly request: JoinRequest }
  readonly beforeJoinRequestWithdraw: Asked & { readonly request: JoinRequest }
  readonly beforeDomainAdd: Asked & {
    readonly organizationId: string
    readonly domain: string
    readonly mode: DomainMode
  }
  readonly beforeDomainVerify: Asked & { readonly domain: Domain }
  readonly beforeDomainChange: Asked & { readonly domain: Domain; readonly newMode: DomainMode }
  readonly beforeDomainRemove: Asked & { readonly domain: Domain }
}

interface Told {
  /**
   * The id of this change: the same on each retry, and different for each change. It is the id of its
   * audit event, if it has one. A host that counts uses it to count a change once.
   */
  readonly eventId: string
  readonly actor: AuditActor
}

/**
 * The arguments of `after…` hooks: the committed change. Plain JSON, so that a retry receives the same.
 */
export interface AfterStates {
  readonly afterCreateOrganization: Told & { readonly organization: Organization }
  readonly afterDeleteOrganization: Told & { readonly organization: Organization }
  readonly afterRestoreOrganization: Told & { readonly organization: Organization }
  /**
   * Also called for a restored member, with the `path` `restore`. `requestId` is the request to join that
   * ends with it, if there was one.
   */
  readonly afterAddMember: Told & {
    readonly membership: Membership
    readonly path: AddPath
    readonly requestId: string | null
  }
  /** `membership` is the former one. `reason` is the `path`, or null for a removal. */
  readonly afterMemberRemove: Told & {
    readonly membership: Membership
    readonly path: RemovePath
    readonly reason: 'left' | 'user_deleted' | null
  }
  readonly afterMemberSuspend: Told & {
    readonly membership: Membership
    readonly path: SuspendPath
  }
  /** `membership` has the new role. */
  readonly afterRoleChange: Told & { readonly membership: Membership; readonly oldRole: string }
  readonly afterTransfer: Told & { readonly from: Membership; readonly to: Membership }
  readonly afterInvitationCreate: Told & { readonly invitation: Invitation }
  readonly afterInvitationResend: Told & { readonly invitation: Invitation }
  /** `invitation` has the new role. */
  readonly afterInvitationRoleChange: Told & {
    readonly invitation: Invitation
    readonly oldRole: string
  }
  /** `membership` is the user's; `created` is false if they were a member already. */
  readonly afterInvitationAccept: Told & {
    readonly invitation: Invitation
    readonly membership: Membership
    readonly created: boolean
    readonly path: AcceptPath
  }
  readonly afterInvitationDecline: Told & { readonly invitation: Invitation }
  /** Called for each invitation, even if one change ends several. */
  readonly afterInvitationRevoke: Told & {
    readonly invitation: Invitation
    readonly path: RevokePath
  }
  readonly afterJoinRequestCreate: Told & { readonly request: JoinRequest }
  /**
   * The user is on the waitlist. They leave it by `afterAddMember` (`waiting_line`) or by the hooks
   * below.
   */
  readonly afterJoinRequestQueue: Told & { readonly request: JoinRequest }
  readonly afterJoinRequestApprove: Told & { readonly request: JoinRequest }
  readonly afterJoinRequestDecline: Told & {
    readonly request: JoinRequest
    readonly path: 'declined' | 'hook_refused' | 'host_conflict' | LimitRefusal
  }
  readonly afterJoinRequestWithdraw: Told & { readonly request: JoinRequest }
  /**
   * Called without a decision: the user is now a member or no longer exists, or the organization is
   * deleted.
   */
  readonly afterJoinRequestClose: Told & {
    readonly request: JoinRequest
    readonly path: 'already_member' | 'user_deleted' | 'organization_deleted'
  }
  readonly afterDomainAdd: Told & { readonly domain: Domain }
  readonly afterDomainVerify: Told & { readonly domain: Domain }
  /** `domain` has the new mode. */
  readonly afterDomainChange: Told & { readonly domain: Domain; readonly oldMode: DomainMode }
  readonly afterDomainRemove: Told & { readonly domain: Domain }
  /**
   * An organization has come to 80 % of its limit (`near`), to the limit (`full`), is above it (`over`),
   * or the grace in which that is allowed ends soon (`grace_ending`). Called once for each crossing, with
   * the sweep. Needs `billing`.
   */
  readonly afterLimitNotice: Told & LimitNotice
}

export type BeforeHook = keyof BeforeStates
export type AfterHook = keyof AfterStates

type MaybePromise<T> = T | Promise<T>

/**
 * The host's hooks, by name. All of them run outside the batch.
 *
 * - `before…` may refuse the change; then no row is written. It is called again if its arguments have
 *   changed in the meantime, and must therefore have no side effects. If it throws, takes too long or
 *   returns any other value, the change is refused with `hook_failed`.
 * - `after…` runs after the commit, at least once: if it throws, it is called again later, and the
 *   response does not change.
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

/**
 * The answer of a lifecycle hook: all statements of the batch, its own included, or the reason for a
 * refusal.
 */
export type LifecycleAnswer =
  | { readonly ok: true; readonly statements: readonly Statement[] }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/**
 * A hook in the life of a user: receives the statements of the operation and returns them with its own.
 * They are one batch, written as a whole or not at all. It must not make calls; use an `after…` hook for
 * work outside.
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

/** Whether the answer of a hook becomes part of the batch. */
interface Placed {
  readonly inBatch: boolean
}

// Each has a hook before it, and one after it.
const CHANGES = [
  'CreateOrganization',
  'DeleteOrganization',
  'RestoreOrganization',
  'AddMember',
  'MemberRemove',
  'MemberSuspend',
  'RoleChange',
  'Transfer',
  'InvitationCreate',
  'InvitationResend',
  'InvitationRoleChange',
  'InvitationAccept',
  'InvitationDecline',
  'InvitationRevoke',
  'JoinRequestCreate',
  'JoinRequestQueue',
  'JoinRequestApprove',
  'JoinRequestDecline',
  'JoinRequestWithdraw',
  'DomainAdd',
  'DomainVerify',
  'DomainChange',
  'DomainRemove',
] as const
const ONLY_AFTER = ['afterJoinRequestClose', 'afterLimitNotice'] as const
const IN_BATCH = ['onRegister', 'onPasswordChange', 'onEmailChange', 'onDelete'] as const

type Outside = `${'before' | 'after'}${(typeof CHANGES)[number]}` | (typeof ONLY_AFTER)[number]

const outside = [
  ...CHANGES.flatMap((change) => [`before${change}`, `after${change}`]),
  ...ONLY_AFTER,
]

/** Every hook. */
export const HOOKS = Object.fromEntries([
  ...outside.map((name) => [name, { inBatch: false }]),
  ...IN_BATCH.map((name) => [name, { inBatch: true }]),
]) as Record<Outside | (typeof IN_BATCH)[number], Placed> satisfies Record<
  keyof Hooks | keyof LifecycleHooks,
  Placed
>

/** The context of a function that calls hooks. */
export interface HookContext extends Pick<Runtime, 'report' | 'trace'> {
  readonly hooks: Hooks
  readonly lifecycle: LifecycleHooks
  readonly hookDeadlineSeconds: number
}

/** A `before…` hook with its argument. */
export type Question = {
  readonly [K in BeforeHook]: { readonly hook: K; readonly state: BeforeStates[K] }
}[BeforeHook]
