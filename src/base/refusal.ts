/**
 * An expected "no", as data. The code is the API; texts for people are made at the edge.
 *
 * `seat_limit_reached` carries the limit and the seats in use when it was decided,
 * `validation_error` the messages by field, `last_owner` the organizations that would be left without
 * an owner where there may be several, `hook_refused` the host's own reason, `before_horizon` up to which
 * sequence a trail is gone, `outdated_version` the limit and the version that are in force.
 */
export type Refusal =
  | { readonly code: 'seat_limit_reached'; readonly limit: number; readonly used: number }
  | {
      readonly code: 'validation_error'
      readonly errors: Readonly<Record<string, readonly string[]>>
    }
  | { readonly code: 'last_owner'; readonly organizations?: readonly NamedOrganization[] }
  | { readonly code: 'hook_refused'; readonly reason: string; readonly detail?: string }
  | { readonly code: 'insufficient_role'; readonly requiredRoles?: readonly string[] }
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
  | { readonly code: RateRefusalCode; readonly retryAfterSeconds: number }
  | { readonly code: PlainRefusalCode }

/** An organization as a refusal names it. */
export interface NamedOrganization {
  readonly id: string
  readonly name: string
  readonly slug: string
}

/** The codes of limits that are counted in a window of time; they carry how long it is open yet. */
export type RateRefusalCode = 'rate_limited' | 'rate_limited_user' | 'rate_limited_organization'

type PlainRefusalCode =
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
  | 'role_not_configured'
  | 'domain_not_verified'
  | 'domain_taken'
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
  | 'seats_unavailable'
  | 'unavailable'
  | 'schema_mismatch'

/** Every code that a {@link Refusal} can carry. */
export type RefusalCode = Refusal['code']

/** Refuses an input, naming what is wrong field by field. */
export function invalid(errors: Record<string, readonly string[]>): Refusal {
  return { code: 'validation_error', errors }
}
