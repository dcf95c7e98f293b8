import { checkOptionNames } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import { ok, refused, type Result } from '../base/result.ts'
import type { Parts } from '../options.ts'
import type { Seatgate } from '../seatgate.ts'
import { loadActiveOrganization as load, type Loaded } from '../operations/sessions/load-active.ts'
import { checkAuthenticate, marksOfRequest, type Authenticate, type ScopeEnv } from './request.ts'
import { checkRefusalHandler, halt, type RefusalHandler } from './problem.ts'
import { storeRefusal } from '../engine/changes/operation-refusals.ts'
import type { Roles } from '../engine/access/roles.ts'
import { isUser, type Principal } from '../engine/access/principal.ts'
import {
  putActiveOrganization as put,
  type ActiveOrganization,
  type PutActiveOrganizationRefusal,
} from '../operations/sessions/put-active.ts'

/** Options of {@link loadActiveOrganization}. */
export interface LoadOptions {
  /** Authenticates the request. */
  readonly authenticate: Authenticate
  /** Responds if D1 does not answer. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Loads the caller and the organization of their session into `c.var`, in one D1 round trip. It does not
 * refuse requests: without a session, an organization or a membership the variables are null. A stale
 * pointer is repaired, as by the domain function of the same name. Only an outage of D1 ends the request
 * (`unavailable`), so that it does not look like a sign-out.
 *
 * @throws {TypeError} at set-up, if an option is invalid.
 *
 * @example
 * ```ts
 * app.use(loadActiveOrganization(seatgate, { authenticate }))
 * app.get('/', (c) => c.text(c.var.organization?.name ?? 'Choose an organization.'))
 * ```
 */
export function loadActiveOrganization<Permission extends string>(
  seatgate: Seatgate<string, Parts, Permission>,
  options: LoadOptions
): MiddlewareHandler<ScopeEnv<Permission>> {
  checkOptionNames('loadActiveOrganization', options, ['authenticate', 'onRefusal'])
  const { authenticate, onRefusal } = options
  checkAuthenticate('loadActiveOrganization', authenticate)
  checkRefusalHandler('loadActiveOrganization', onRefusal)
  return async function loadActiveOrganization(c, next) {
    const loaded = await answered(seatgate, loadOf(seatgate, authenticate, c))
    if (!loaded.ok) return halt(c, loaded.error, onRefusal)
    setScope(c, loaded.value)
    await next()
  }
}

async function loadOf(seatgate: Seatgate, authenticate: Authenticate, c: Context): Promise<Loaded> {
  const caller = await authenticate(c)
  return caller ? load(seatgate, { caller, ...marksOfRequest(c) }) : NOBODY
}

const NOBODY: Loaded = {
  caller: null,
  organization: null,
  membership: null,
  role: null,
  permissions: [],
}

/** Sets a scope on `c.var`. */
export function setScope(c: Context, loaded: Loaded): void {
  c.set('caller', loaded.caller)
  c.set('organization', loaded.organization)
  c.set('membership', loaded.membership)
  c.set('role', loaded.role)
  c.set('permissions', loaded.permissions)
}

/** Sets the roles of the loaded organization, for the pages on which they are given. */
export function setRoles(c: Context, roles: Roles): void {
  c.set('organizationRoles', roles)
}

/** Returns the answer of D1, or a refusal if D1 does not answer. */
export async function answered<T>(seatgate: Seatgate, answer: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await answer)
  } catch (error) {
    return refused(storeRefusal(seatgate, error))
  }
}

/**
 * Sets the active organization of the request's session, by id or slug, or clears it with `null`, and
 * sets the new scope on `c.var`. A refusal leaves both as they are. It writes no cookie.
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
): Promise<Result<ActiveOrganization, PutActiveOrganizationRefusal | 'no_scope'>> {
  const caller = c.get('caller') as Principal | null | undefined
  if (!caller) return refused({ code: 'no_scope' })
  const active = await put(seatgate, { caller, ...marksOfRequest(c) }, organization)
  if (!active.ok || !isUser(caller)) return active
  const { session, membership, permissions } = active.value
  setScope(c, {
    caller: { ...caller, session },
    organization: active.value.organization,
    membership,
    role: membership?.role ?? null,
    permissions,
  })
  return ok(active.value)
}
