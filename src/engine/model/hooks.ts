import type { Statement } from '../../database/database.ts'
import type { EndingCause } from './end-invitation.ts'
import type { Invitation } from './invitation.ts'
import type { Domain, DomainMode } from './domain.ts'
import type { JoinRequest } from './join-request.ts'
import type { Membership } from './membership.ts'
import type { Organization } from './organization.ts'
import type { AuditActor } from '../../base/actor.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Principal } from '../access/principal.ts'

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

/**
 * How a person becomes an active member: `direct` (added by a member, or by the host), `invitation` and
 * `signup` (accepted by a user, or by a new one), `domain` and `request` (joined by the domain of their
 * address, or approved), `waiting_line` (first in line when a seat became free), `restore` (after a
 * suspension).
 */
export type AddPath =
  | 'direct'
  | 'invitation'
  | 'signup'
  | 'domain'
  | 'request'
  | 'waiting_line'
  | 'restore'

/** How a membership ends: by another person, by the member, or with the user. */
export type RemovePath = 'removed' | 'left' | 'user_deleted'

/** Why a membership is suspended. */
export type SuspendPath = 'admin' | 'over_limit'

/** How an invitation is accepted: by a user, or by a person who becomes one. */
export type AcceptPath = 'invitation' | 'signup'

/**
 * Why an invitation is revoked: by a person; for a newer one, or as the person has come in another way
 * (`superseded`); with the organization; or because its inviter may not make it any more.
 */
export type RevokePath = Exclude<EndingCause['reason'], 'declined'>

/** A request to join that is about to be made or put in line. */
interface JoinDraft {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

interface Asked {
  readonly caller: Principal
}

/** The states that `before…` hooks are given: who is about to do what. */
export interface BeforeStates {
  /** Given invalid drafts too. A changed draft is validated again. */
  readonly beforeCreateOrganization: Asked & { readonly draft: OrganizationDraft }
  readonly beforeDeleteOrganization: Asked & { readonly organization: Organization }
  readonly beforeRestoreOrganization: Asked & { readonly organization: Organization }
  /** Asked before the seat is taken, on every path. The founder of an organization has no such hook. */
  readonly beforeAddMember: Asked & {
    readonly organizationId: string
    readonly userId: string
    readonly role: string
    readonly path: AddPath
  }
  /** Not asked when a user is deleted: an organization cannot refuse that. */
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
  /** Of several invitations at once it is asked for each; one that is refused leaves the others. */
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
  /** Beside `beforeAddMember`. Asked alone where the user is a member already. */
  readonly beforeInvitationAccept: Asked & {
    readonly invitation: Invitation
    readonly userId: string
    readonly path: AcceptPath
  }
  readonly beforeInvitationDecline: Asked & { readonly invitation: Invitation }
  /** Not asked where an invitation ends with something else that its own hook may refuse. */
  readonly beforeInvitationRevoke: Asked & { readonly invitation: Invitation }
  readonly beforeJoinRequestCreate: Asked & JoinDraft
  /** Asked before a person is put in line. */
  readonly beforeJoinRequestQueue: Asked & JoinDraft
  /** Beside `beforeAddMember`, or `beforeJoinRequestQueue` where all who are approved wait. */
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
   * Names this change: the same on each retry, and different for each change. It is the id of its audit
   * event, if it has one. A host that counts uses it to count a change once.
   */
  readonly eventId: string
  readonly actor: AuditActor
}

/**
 * The states that `after…` hooks are given: what was committed. Plain JSON, so that a retry is given
 * the same.
 */
export interface AfterStates {
  readonly afterCreateOrganization: Told & { readonly organization: Organization }
  readonly afterDeleteOrganization: Told & { readonly organization: Organization }
  readonly afterRestoreOrganization: Told & { readonly organization: Organization }
  /**
   * Also for a member who is restored, with the `path` `restore`. `requestId` is the request to join that
   * this ends, if there was one.
   */
  readonly afterAddMember: Told & {
    readonly membership: Membership
    readonly path: AddPath
    readonly requestId: string | null
  }
  /** `membership` is as it was. `reason` is the `path` but for a removal, where it is null. */
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
  /** `membership` is that of the user; `created` is false where they were a member already. */
  readonly afterInvitationAccept: Told & {
    readonly invitation: Invitation
    readonly membership: Membership
    readonly created: boolean
    readonly path: AcceptPath
  }
  readonly afterInvitationDecline: Told & { readonly invitation: Invitation }
  /** Called for each invitation, also where one change ends several. */
  readonly afterInvitationRevoke: Told & {
    readonly invitation: Invitation
    readonly path: RevokePath
  }
  readonly afterJoinRequestCreate: Told & { readonly request: JoinRequest }
  /** The person is in line. They leave it by `afterAddMember` (`waiting_line`) or by the hooks below. */
  readonly afterJoinRequestQueue: Told & { readonly request: JoinRequest }
  readonly afterJoinRequestApprove: Told & { readonly request: JoinRequest }
  readonly afterJoinRequestDecline: Told & {
    readonly request: JoinRequest
    readonly path: 'declined' | 'hook_refused' | 'host_conflict'
  }
  readonly afterJoinRequestWithdraw: Told & { readonly request: JoinRequest }
  /** Nobody decided on it: the person is a member or no user any more, or the organization is deleted. */
  readonly afterJoinRequestClose: Told & {
    readonly request: JoinRequest
    readonly path: 'already_member' | 'user_deleted' | 'organization_deleted'
  }
  readonly afterDomainAdd: Told & { readonly domain: Domain }
  readonly afterDomainVerify: Told & { readonly domain: Domain }
  /** `domain` has the new mode. */
  readonly afterDomainChange: Told & { readonly domain: Domain; readonly oldMode: DomainMode }
  readonly afterDomainRemove: Told & { readonly domain: Domain }
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
  beforeRestoreOrganization: { inBatch: false },
  afterRestoreOrganization: { inBatch: false },
  beforeAddMember: { inBatch: false },
  afterAddMember: { inBatch: false },
  beforeMemberRemove: { inBatch: false },
  afterMemberRemove: { inBatch: false },
  beforeMemberSuspend: { inBatch: false },
  afterMemberSuspend: { inBatch: false },
  beforeRoleChange: { inBatch: false },
  afterRoleChange: { inBatch: false },
  beforeTransfer: { inBatch: false },
  afterTransfer: { inBatch: false },
  beforeInvitationCreate: { inBatch: false },
  afterInvitationCreate: { inBatch: false },
  beforeInvitationResend: { inBatch: false },
  afterInvitationResend: { inBatch: false },
  beforeInvitationRoleChange: { inBatch: false },
  afterInvitationRoleChange: { inBatch: false },
  beforeInvitationAccept: { inBatch: false },
  afterInvitationAccept: { inBatch: false },
  beforeInvitationDecline: { inBatch: false },
  afterInvitationDecline: { inBatch: false },
  beforeInvitationRevoke: { inBatch: false },
  afterInvitationRevoke: { inBatch: false },
  beforeJoinRequestCreate: { inBatch: false },
  afterJoinRequestCreate: { inBatch: false },
  beforeJoinRequestQueue: { inBatch: false },
  afterJoinRequestQueue: { inBatch: false },
  beforeJoinRequestApprove: { inBatch: false },
  afterJoinRequestApprove: { inBatch: false },
  beforeJoinRequestDecline: { inBatch: false },
  afterJoinRequestDecline: { inBatch: false },
  beforeJoinRequestWithdraw: { inBatch: false },
  afterJoinRequestWithdraw: { inBatch: false },
  afterJoinRequestClose: { inBatch: false },
  beforeDomainAdd: { inBatch: false },
  afterDomainAdd: { inBatch: false },
  beforeDomainVerify: { inBatch: false },
  afterDomainVerify: { inBatch: false },
  beforeDomainChange: { inBatch: false },
  afterDomainChange: { inBatch: false },
  beforeDomainRemove: { inBatch: false },
  afterDomainRemove: { inBatch: false },
  onRegister: { inBatch: true },
  onPasswordChange: { inBatch: true },
  onEmailChange: { inBatch: true },
  onDelete: { inBatch: true },
} as const satisfies Record<keyof Hooks | keyof LifecycleHooks, { readonly inBatch: boolean }>

/** What a function needs that asks the host. */
export interface HookContext extends Pick<Runtime, 'report'> {
  readonly hooks: Hooks
  readonly lifecycle: LifecycleHooks
  readonly hookDeadlineSeconds: number
}

/** A `before…` hook and what it is to be shown. */
export type Question = {
  readonly [K in BeforeHook]: { readonly hook: K; readonly state: BeforeStates[K] }
}[BeforeHook]
