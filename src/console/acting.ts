import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { checkAuthenticate, type Authenticate } from '../hono/request.ts'
import { partOf } from '../engine/changes/part.ts'
import type { ImpersonationPart } from '../parts/impersonation/impersonation.ts'
import { callerOfToken, type ImpersonationLookup } from '../parts/impersonation/running.ts'
import { isImpersonationToken } from '../parts/impersonation/token.ts'
import { attributesIn } from './outcome.ts'
import { baseOf, pathOf, withOutcome, type Visit } from './visit.ts'

const COOKIE = 'seatgate_console_acting'

const made = new WeakSet<Authenticate>()

/**
 * Authenticates requests of the console with the cookie by which an operator acts as a user, and all others by
 * the host's own `authenticate`: for the option of that name beside `impersonationPages`. Browsers send the
 * cookie for the pages of the one organization, below its id; on all other pages the operator is the operator.
 *
 * @throws {TypeError} if `impersonation` is not configured, or `authenticate` is not a function.
 *
 * @example
 * ```ts
 * seatgateConsole(seatgate, {
 *   authenticate: actingInConsole(seatgate, authenticate),
 *   sections: [impersonationPages],
 * })
 * ```
 */
export function actingInConsole(
  seatgate: ImpersonationLookup & { readonly impersonation: ImpersonationPart },
  authenticate: Authenticate
): Authenticate {
  partOf(seatgate, 'impersonation')
  checkAuthenticate('actingInConsole', authenticate)
  const acting: Authenticate = (c) => {
    const token = getCookie(c, COOKIE)
    if (token === undefined) return authenticate(c)
    const ended = () => forgetEnded(c)
    return isImpersonationToken(token) ? callerOfToken(seatgate, token, ended) : ended()
  }
  made.add(acting)
  return acting
}

// With its cookie no sign-in would help.
function forgetEnded(c: Context): null {
  const organization = c.req.param('org')
  if (organization === undefined) return null
  forgetActing(c, organization)
  const outcome = { kind: 'done', key: 'actingEnded', values: {} } as const
  const leave = () => withOutcome(c, outcome, `${baseOf(c)}/impersonations`)
  ;(c as Visit).set('leave', leave)
  return null
}

/** Whether {@link actingInConsole} has made it. */
export function readsActing(authenticate: Authenticate): boolean {
  return made.has(authenticate)
}

/** Keeps the token of an impersonation for the pages of its organization. */
export function keepActing(
  c: Context,
  { token, organizationId }: { readonly token: string; readonly organizationId: string },
  seconds: number
): void {
  setCookie(c, COOKIE, token, { ...attributesOf(c, organizationId), maxAge: seconds })
}

/** Removes the token for the pages of an organization. */
export function forgetActing(c: Context, organizationId: string): void {
  deleteCookie(c, COOKIE, attributesOf(c, organizationId))
}

function attributesOf(c: Context, organizationId: string) {
  return { ...attributesIn(c, baseOf(c)), path: pathOf(c, organizationId, '') }
}
