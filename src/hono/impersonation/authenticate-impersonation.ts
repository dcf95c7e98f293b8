import { partOf } from '../../engine/changes/part.ts'
import type { ImpersonationPart } from '../../parts/impersonation/impersonation.ts'
import { callerOfToken, type ImpersonationLookup } from '../../parts/impersonation/running.ts'
import { BEGINNING, isImpersonationToken } from '../../parts/impersonation/token.ts'
import { bearerOf, checkAuthenticate, type Authenticate } from '../request.ts'

/**
 * Authenticates requests with the token of an impersonation in `Authorization: Bearer`, and all others by the
 * host's own `authenticate`. The token is looked up in the round trip of the operation. The caller is the
 * user, with the operator as `impersonatedBy`, in the organization of the impersonation alone. A text that
 * begins like a token and is not one is `unauthenticated` without a query.
 *
 * @throws {TypeError} if `impersonation` is not configured, or `authenticate` is not a function.
 *
 * @example
 * ```ts
 * const acting = authenticateImpersonation(seatgate, authenticate)
 * app.route('/', seatgateRouter(seatgate, { authenticate: acting }))
 * ```
 */
export function authenticateImpersonation(
  seatgate: ImpersonationLookup & { readonly impersonation: ImpersonationPart },
  authenticate: Authenticate = () => null
): Authenticate {
  partOf(seatgate, 'impersonation')
  checkAuthenticate('authenticateImpersonation', authenticate)
  return (c) => {
    const token = bearerOf(c)
    if (!token.startsWith(BEGINNING)) return authenticate(c)
    return isImpersonationToken(token) ? callerOfToken(seatgate, token) : null
  }
}
