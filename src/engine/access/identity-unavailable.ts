import { StoreUnavailable } from '../../database/database.ts'

/**
 * A source of identities did not answer, so that it is not known who the caller is. An `authenticate`
 * that throws it makes the request `unavailable`, and not a sign-out.
 *
 * @example
 * ```ts
 * const authenticate: Authenticate = async (c) => {
 *   const response = await fetch(SESSION_SERVICE, { headers: c.req.raw.headers })
 *   if (response.status >= 500) throw new IdentityUnavailable('The session service does not answer.')
 *   return response.ok ? { userId: await response.text() } : null
 * }
 * ```
 */
export class IdentityUnavailable extends StoreUnavailable {
  override readonly name: string = 'IdentityUnavailable'
  override readonly event: string = 'identity_unavailable'

  constructor(message: string, cause?: unknown) {
    super(cause ?? new Error(message))
    this.message = message
  }
}
