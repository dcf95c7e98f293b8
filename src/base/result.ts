/**
 * The result of an operation: a value, or the reason for the refusal. It is a plain object, so that it
 * passes RPC, queues and JSON unchanged. `Code` is the union of the codes that the refusal may carry.
 *
 * @example
 * ```ts
 * const added = await addMember(seatgate, scope, { userId, role: 'member' })
 * if (!added.ok) return c.text(added.error.code, 409)
 * console.log(added.value.membership.id)
 * ```
 */
export type Result<T, Code extends RefusalCode = RefusalCode> = Granted<T> | Refused<Code>

/** A {@link Result} with a value. */
export interface Granted<T> {
  readonly ok: true
  readonly value: T
}

/** A {@link Result} without a value, for one of these codes. */
export interface Refused<Code extends RefusalCode = RefusalCode> {
  readonly ok: false
  readonly error: RefusalOf<Code>
}

/** Wraps a value as a successful {@link Result}. */
export function ok<T>(value: T): Granted<T> {
  return { ok: true, value }
}

/** Wraps a refusal as a failed {@link Result} with its code. */
export function refused<Code extends RefusalCode>(error: RefusalOf<Code>): Refused<Code> {
  return { ok: false, error }
}

/**
 * An expected "no", as data. The code is the API; the router adds texts for people.
 *
 * `seat_limit_reached` and `LimitRefusal` carry the limit and its use at the decision, the first also
 * `seatType` for a type of `roles.seatTypes` and `expansion` if the seat could not be bought,
 * `validation_error` the messages by field, `last_owner` the organizations that would be left without an
 * owner where there may be several, `hook_refused` the host's reason, `before_horizon` the sequence up to which the trail was
 * purged, `outdated_version` the limit and the version in force, `role_in_use` what has the role, `scim_invalid`
 * the error of SCIM.
 */
export type Refusal =
  | {
      readonly code: 'seat_limit_reached'
      readonly limit: number
      readonly used: number
      /** The type of the seat; left out for the default one. */
      readonly seatType?: string
      readonly expansion?: 'provider_refused' | 'provider_unavailable'
    }
  | {
      readonly code: LimitRefusal
      readonly limit: number
      readonly used: number
    }
  | {
      readonly code: 'validation_error'
      readonly errors: Readonly<Record<string, readonly string[]>>
    }
  | { readonly code: 'last_owner'; readonly organizations?: readonly NamedOrganization[] }
  | { readonly code: 'hook_refused'; readonly reason: string; readonly detail?: string }
  | { readonly code: 'insufficient_role'; readonly requiredRoles?: readonly string[] }
  | { readonly code: 'insufficient_permission'; readonly requiredPermission: string }
  | {
      readonly code: 'org_mfa_required'
      readonly enrollmentPath: string
      readonly returnTo: string
    }
  | { readonly code: 'before_horizon'; readonly horizon: number }
  | {
      readonly code: 'outdated_version'
      readonly limit: number | 'unlimited' | 'unknown'
      readonly version: number
    }
  | { readonly code: 'seats_in_use'; readonly mustFree: SeatsToFree }
  | {
      readonly code: 'role_in_use'
      /** How many members, invitations and others have the role. */
      readonly uses: Readonly<Record<string, number>>
    }
  | { readonly code: 'scim_invalid'; readonly scimType: string; readonly detail: string }
  | { readonly code: RateRefusalCode; readonly retryAfterSeconds: number }
  | { readonly code: PlainRefusalCode }

/** How many seats have to be free before a change fits, and members who could leave. */
export interface SeatsToFree {
  readonly seats: number
  /** The newest members first, never an owner. */
  readonly candidates: readonly { readonly userId: string; readonly role: string }[]
  /** The open invitations that reserve seats, the newest first. */
  readonly invitations: readonly {
    readonly id: string
    readonly email: string
    readonly role: string
  }[]
}

/** An organization as a refusal names it. */
export interface NamedOrganization {
  readonly id: string
  readonly name: string
  readonly slug: string
}

/** The codes of rate limits; they carry how many seconds are left of the window. */
export type RateRefusalCode = 'rate_limited' | 'rate_limited_user' | 'rate_limited_organization'

/** The codes of refusals without further members. */
export type PlainRefusalCode =
  | 'unauthenticated'
  | 'no_session'
  | 'no_scope'
  | 'no_active_organization'
  | 'organization_not_found'
  | 'not_found'
  | 'not_a_member'
  | 'already_member'
  | 'not_pending'
  | 'email_mismatch'
  | 'invitation_invalid'
  | 'invitation_mismatch'
  | 'invitation_expired'
  | 'invitation_revoked'
  | 'invitation_declined'
  | 'invitation_already_accepted'
  | 'link_used_up'
  | 'role_not_configured'
  | 'domain_not_verified'
  | 'domain_taken'
  | 'address_not_allowed'
  | 'not_unique'
  | 'version_mismatch'
  | 'invalid_password'
  | 'step_up_required'
  | 'step_up_failed'
  | 'stale_sudo'
  | 'admin_must_enroll_first'
  | 'mfa_policy_aborted'
  | 'hook_failed'
  | 'host_conflict'
  | 'operation_in_progress'
  | 'idempotency_mismatch'
  | 'stored_result_unreadable'
  | 'already_replayed'
  | 'not_dead'
  | 'too_many'
  | 'invalid_cursor'
  | 'invalid_json'
  | 'invalid_encoding'
  | 'unsupported_media_type'
  | 'cross_site_request'
  | 'payload_too_large'
  | 'no_subscription'
  | 'already_subscribed'
  | 'invalid_state'
  | 'provider_refused'
  | 'provider_unavailable'
  | 'seats_unavailable'
  | 'unavailable'
  | 'schema_mismatch'

/** Every code that a {@link Refusal} can carry. */
export type RefusalCode = Refusal['code']

/** A {@link Refusal} that carries one of these codes, with the members of that code. */
export type RefusalOf<Code extends RefusalCode> = Refusal & { readonly code: Code }

/** The caller is not known, is not inside, or has not the role for it. */
export type AccessRefusal = 'unauthenticated' | 'organization_not_found' | 'insufficient_role'

/** The input is wrong. */
export type InputRefusal = 'validation_error'

/** The body of a request cannot be read. Only routes answer these codes, never the functions. */
export type BodyRefusal =
  | 'invalid_json'
  | 'invalid_encoding'
  | 'unsupported_media_type'
  | 'payload_too_large'

/** A page of a list that cannot be read. */
export type PageRefusal = InputRefusal | 'invalid_cursor'

/** There is no seat, or the provider of seats does not answer. */
export type SeatRefusal = 'seat_limit_reached' | 'seats_unavailable'

/** The user owns as many organizations, or has as many memberships, as `userLimits()` allows. */
export type LimitRefusal = 'owned_limit_reached' | 'membership_limit_reached'

/** A user does not become a member for want of a seat, or because of a limit of their own. */
export type JoinRefusal = SeatRefusal | LimitRefusal

/** A hook of the host refuses, or fails. */
export type HookRefusal = 'hook_refused' | 'hook_failed'

/** The proof of identity is missing or wrong. */
export type ProofRefusal = 'invalid_password' | 'step_up_required' | 'step_up_failed'

/** The token names no invitation, or an invitation that is not open. */
export type InvitationRefusal =
  | 'invitation_invalid'
  | 'invitation_already_accepted'
  | 'invitation_revoked'
  | 'invitation_declined'
  | 'invitation_expired'

/** The codes of {@link HookRefusal}. */
export const HOOK_REFUSALS = ['hook_refused', 'hook_failed'] as const satisfies HookRefusal[]

/** The codes of {@link SeatRefusal}. */
export const SEAT_REFUSALS = [
  'seat_limit_reached',
  'seats_unavailable',
] as const satisfies SeatRefusal[]

/** The codes of {@link LimitRefusal}. */
export const LIMIT_REFUSALS = [
  'owned_limit_reached',
  'membership_limit_reached',
] as const satisfies LimitRefusal[]

/** The codes of {@link JoinRefusal}. */
export const JOIN_REFUSALS = [...SEAT_REFUSALS, ...LIMIT_REFUSALS] as const

/** The codes of {@link ProofRefusal}. */
export const PROOF_REFUSALS = [
  'invalid_password',
  'step_up_required',
  'step_up_failed',
] as const satisfies ProofRefusal[]

/** The change was not made. Every change may answer these codes. */
export type CommitRefusal =
  | 'host_conflict'
  | 'operation_in_progress'
  | 'unavailable'
  | 'schema_mismatch'

/** The codes of a change that takes an `operationId`: its id may belong to another input. */
export type StoreRefusal = CommitRefusal | 'idempotency_mismatch'

/** Whether a refusal carries one of these codes. */
export function hasCode<Code extends RefusalCode>(
  refusal: Refusal,
  codes: readonly Code[]
): refusal is RefusalOf<Code> {
  return (codes as readonly RefusalCode[]).includes(refusal.code)
}

/** Refuses an input, with the errors of each field. */
export function invalid(errors: Record<string, readonly string[]>): RefusalOf<'validation_error'> {
  return { code: 'validation_error', errors }
}
