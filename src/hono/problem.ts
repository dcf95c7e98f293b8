import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal, RefusalCode } from '../refusal.ts'

const PROBLEMS = {
  unauthenticated: [401, 'Sign in first'],
  insufficient_role: [403, 'Your role does not allow this'],
  organization_not_found: [404, 'There is no such organization'],
  not_found: [404, 'There is no such thing here'],
  already_member: [409, 'Is a member already, with another role'],
  last_owner: [409, 'An organization keeps at least one owner'],
  seat_limit_reached: [409, 'All seats are taken'],
  operation_in_progress: [409, 'The same is under way; try again'],
  idempotency_mismatch: [422, 'This Idempotency-Key was used for something else'],
  validation_error: [422, 'The input is not valid'],
  invalid_cursor: [400, 'The cursor is not valid'],
  invalid_json: [400, 'The body is not valid JSON'],
  payload_too_large: [413, 'The body is too large'],
  seats_unavailable: [503, 'Seats cannot be counted at the moment'],
  unavailable: [503, 'The service cannot answer at the moment'],
} as const satisfies Record<RefusalCode, readonly [ContentfulStatusCode, string]>

const RETRY_AFTER_SECONDS = 5

/** The HTTP status of a refusal's code. */
export function statusOf(code: RefusalCode): ContentfulStatusCode {
  return PROBLEMS[code][0]
}

/**
 * Makes the answer to a refusal: `application/problem+json` as RFC 9457 has it, with the refusal's
 * own members beside the standard ones.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function problemResponse(refusal: Refusal): Response {
  const [status, title] = PROBLEMS[refusal.code]
  const type = `urn:seatgate:refusal:${refusal.code}`
  return Response.json(
    { type, title, status, ...refusal },
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        ...(status === 503 && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
      },
    }
  )
}

/**
 * A refusal as an exception, for a host's own routes: it answers without any `onError`, and carries
 * the refusal for a host that has its own format.
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
