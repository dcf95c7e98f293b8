import type { Context } from 'hono'
import { ok, refused, type Result } from '../base/result.ts'
import { isUser, type Principal } from '../engine/access/principal.ts'
import type { Seatgate } from '../seatgate.ts'
import {
  putActiveOrganization as put,
  type ActiveOrganization,
} from '../operations/sessions/put-active.ts'
import { marksOfRequest } from './authenticate.ts'
import { setScope } from './load-active-organization.ts'

/**
 * Sets the active organization of the request's session, by id or slug, or clears it with `null`, and
 * sets the new scope on `c.var`. A refusal changes nothing of it. It writes no cookie.
 *
 * Refusals: as of the domain function of the same name.
 *
 * @example
 * ```ts
 * const active = await putActiveOrganization(seatgate, c, form.organizationId)
 * if (!active.ok) throw new RefusalException(active.error)
 * ```
 */
export async function putActiveOrganization(
  seatgate: Seatgate,
  c: Context,
  organization: string | null
): Promise<Result<ActiveOrganization>> {
  const caller = c.get('caller') as Principal | null | undefined
  if (!caller) return refused({ code: 'no_scope' })
  const active = await put(seatgate, { caller, ...marksOfRequest(c) }, organization)
  if (!active.ok || !isUser(caller)) return active
  const { session, membership } = active.value
  setScope(c, {
    caller: { ...caller, session },
    organization: active.value.organization,
    membership,
    role: membership?.role ?? null,
  })
  return ok(active.value)
}
