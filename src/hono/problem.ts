import type { Context, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal, RefusalCode, RefusalOf } from '../base/result.ts'
import type { Problem, ProblemResponse } from './typed-response.ts'

const PROBLEMS = {
  unauthenticated: [401, 'Sign in first'],
  no_session: [401, 'There is no session'],
  no_scope: [401, 'There is no signed-in user'],
  insufficient_role: [403, 'Your role does not allow this'],
  insufficient_permission: [403, 'Your role does not allow this'],
  invalid_password: [403, 'The password is wrong'],
  step_up_required: [403, 'A proof of identity is required'],
  step_up_failed: [403, 'The proof is wrong'],
  stale_sudo: [403, 'A recent proof of identity is required'],
  org_mfa_required: [403, 'This organization requires a second factor'],
  hook_refused: [403, 'This is not allowed here'],
  cross_site_request: [403, 'The request comes from another site'],
  organization_not_found: [404, 'Organization not found'],
  not_found: [404, 'Not found'],
  not_a_member: [404, 'Not a member'],
  no_active_organization: [409, 'Choose an organization first'],
  invitation_invalid: [404, 'Invitation not found'],
  invitation_mismatch: [403, 'The invitation is for another user'],
  email_mismatch: [403, 'The invitation is for another address'],
  invitation_expired: [410, 'The invitation has expired'],
  invitation_revoked: [410, 'The invitation was revoked'],
  invitation_declined: [410, 'The invitation was declined'],
  invitation_already_accepted: [409, 'The invitation was already accepted'],
  link_used_up: [410, 'The link is used up'],
  not_pending: [409, 'No longer pending'],
  role_not_configured: [409, 'The role no longer exists'],
  rate_limited: [429, 'Too many attempts; try again later'],
  rate_limited_user: [429, 'You have sent too many invitations; try again later'],
  rate_limited_organization: [
    429,
    'This organization has sent too many invitations; try again later',
  ],
  domain_not_verified: [409, 'The DNS record was not found'],
  domain_taken: [409, 'The domain is verified for another organization'],
  address_not_allowed: [403, 'The address is not in a verified domain of the organization'],
  not_unique: [409, 'The name or the id is taken'],
  version_mismatch: [412, 'The resource has changed'],
  scim_invalid: [400, 'The request is not valid SCIM'],
  already_member: [409, 'Already a member, with another role or suspended'],
  last_owner: [409, 'An organization needs at least one owner'],
  host_conflict: [409, 'Conflicts with other data of this application'],
  seat_limit_reached: [409, 'All seats are taken'],
  owned_limit_reached: [409, 'This user cannot own more organizations'],
  membership_limit_reached: [409, 'This user cannot join more organizations'],
  outdated_version: [409, 'A newer version of the limit is in force'],
  seats_in_use: [409, 'More seats are in use'],
  role_in_use: [409, 'The role is in use'],
  no_subscription: [409, 'There is no subscription'],
  already_subscribed: [409, 'There is a subscription already'],
  invalid_state: [409, 'The subscription does not allow this now'],
  provider_refused: [409, 'The billing provider refuses this'],
  admin_must_enroll_first: [409, 'Set up your own second factor first'],
  operation_in_progress: [409, 'The operation is in progress; try again'],
  already_replayed: [409, 'Already retried'],
  not_dead: [409, 'Not a dead letter'],
  too_many: [409, 'No more of these are possible'],
  idempotency_mismatch: [422, 'This Idempotency-Key was used for another request'],
  stored_result_unreadable: [410, 'The stored result can no longer be read'],
  validation_error: [422, 'The input is not valid'],
  before_horizon: [410, 'The next events were purged'],
  invalid_cursor: [400, 'The cursor is not valid'],
  invalid_json: [400, 'The body is not valid JSON'],
  invalid_encoding: [400, 'The request is not valid UTF-8'],
  unsupported_media_type: [415, 'The body must be application/json'],
  payload_too_large: [413, 'The body is too large'],
  hook_failed: [503, 'Could not check whether this is allowed'],
  mfa_policy_aborted: [503, 'The policy could not be changed'],
  provider_unavailable: [503, 'The billing provider cannot answer at the moment'],
  seats_unavailable: [503, 'Seats cannot be counted at the moment'],
  unavailable: [503, 'The service cannot answer at the moment'],
  schema_mismatch: [503, 'The database does not have the tables of this version'],
} as const satisfies Record<RefusalCode, readonly [ContentfulStatusCode, string]>

const RETRY_AFTER_SECONDS = 5

/** Responds to a refusal in the host's own way; {@link problemResponse} is the default. */
export type RefusalHandler = (c: Context, refusal: Refusal) => Response | Promise<Response>

/** The HTTP status of a refusal's code. */
export type StatusOf<Code extends RefusalCode> = (typeof PROBLEMS)[Code][0]

/**
 * Returns the HTTP status of a refusal's code.
 *
 * @example
 * ```ts
 * statusOf('seat_limit_reached') // 409
 * ```
 */
export function statusOf<Code extends RefusalCode>(code: Code): StatusOf<Code> {
  return PROBLEMS[code][0]
}

/** Returns the title of a refusal's code. */
export function titleOf(code: RefusalCode): string {
  return PROBLEMS[code][1]
}

/**
 * Creates the response to a refusal: `application/problem+json` of RFC 9457, with the refusal's own
 * members beside the standard ones. It is not cached; a 401 has a `WWW-Authenticate`, a 429 and a 503
 * have a `Retry-After`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 *
 * @example
 * ```ts
 * app.get('/projects', async (c) => {
 *   const listed = await listMembers(seatgate, scope)
 *   return listed.ok ? c.json(listed.value) : problemResponse(listed.error)
 * })
 * ```
 */
export function problemResponse<Code extends RefusalCode>(
  refusal: RefusalOf<Code>
): ProblemResponse<Code> {
  return Response.json(problemOf(refusal), {
    status: statusOf(refusal.code),
    headers: { 'content-type': 'application/problem+json', ...headersOf(refusal) },
  }) as ProblemResponse<Code>
}

/** Returns the body of {@link problemResponse}, for a refusal that is a part of a response. */
export function problemOf<Code extends RefusalCode>(refusal: RefusalOf<Code>): Problem<Code>
export function problemOf(refusal: Refusal): object {
  const [status, title] = PROBLEMS[refusal.code]
  return { type: `urn:seatgate:refusal:${refusal.code}`, title, status, ...refusal }
}

/**
 * Returns the headers of a response to a refusal, in any format. The library does not know how a host
 * signs users in; `Bearer` is a challenge that opens no dialog in a browser.
 */
export function headersOf(refusal: Refusal): Record<string, string> {
  const status = statusOf(refusal.code)
  return {
    'cache-control': 'no-store',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 503 && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
    ...('retryAfterSeconds' in refusal && { 'retry-after': String(refusal.retryAfterSeconds) }),
  }
}

/**
 * A refusal as an exception, for a host's own routes: it responds without an `onError`, and carries the
 * refusal for a host that has its own format.
 *
 * @example
 * ```ts
 * const added = await addMember(seatgate, scope, input)
 * if (!added.ok) throw new RefusalException(added.error)
 * ```
 */
export class RefusalException extends HTTPException {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(statusOf(refusal.code), { res: problemResponse(refusal) })
    this.refusal = refusal
  }
}

/** Ends a request in a middleware: in the host's way, or as an exception with its own response. */
export function halt(
  c: Context,
  refusal: Refusal,
  onRefusal: RefusalHandler | undefined
): Response | Promise<Response> {
  if (onRefusal === undefined) throw new RefusalException(refusal)
  return onRefusal(c, refusal)
}

/** @throws {TypeError} if it is set and not a function. */
export function checkRefusalHandler(where: string, onRefusal: unknown): void {
  if (onRefusal !== undefined && typeof onRefusal !== 'function') {
    throw new TypeError(`${where}: onRefusal must be a function.`)
  }
}

/**
 * Prevents caching of responses, in shared caches and the browser: they are about one user, and some
 * contain a token. A response with its own `Cache-Control` keeps it.
 */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next()
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}
