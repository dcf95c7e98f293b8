/**
 * The common parts of the ready routes: from a request to a scope and an input, from a result to a
 * response.
 *
 * @module
 */
import type { Context } from 'hono'
import { UnreadableInput } from '../base/input.ts'
import type { OperationOptions } from '../engine/changes/operation.ts'
import {
  invalid,
  ok,
  refused,
  type RefusalCode,
  type RefusalOf,
  type Result,
} from '../base/result.ts'
import type {
  Caller,
  OrganizationScope,
  Principal,
  RequestInfo,
  Scope,
} from '../engine/access/principal.ts'
import { readBody, type Unchecked } from './request-body.ts'
import { IDEMPOTENCY_KEY } from './idempotency-key.ts'
import { problemResponse } from './problem.ts'
import type { Answer, Done } from './typed-response.ts'
import type { Membership } from '../engine/model/membership.ts'
import type { Organization } from '../engine/model/organization.ts'

/** The environment of the ready routes: the caller, established or by a query. */
export interface RouterEnv {
  Variables: {
    readonly asking: Caller
    /** The query parameters that {@link readQuery} has passed to a function, which checks them. */
    readonly checkedParameters?: readonly string[]
    /** Whether lists are read from a replica. */
    readonly readsReplica?: boolean
    /** Returns the bookmark of a list that was read from a replica. */
    readonly bookmarkRead?: () => string | null
  }
}

export function scopeOf(c: Context<RouterEnv>): Scope {
  return { caller: c.var.asking, ...marksOfRequest(c) }
}

/** Returns the token of `Authorization: Bearer`; an empty text without one. */
export function bearerOf(c: Context): string {
  return /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
}

export function inOrganization(c: Context<RouterEnv>): OrganizationScope {
  return { ...scopeOf(c), organization: c.req.param('org') ?? '' }
}

/**
 * Reads the body and the `Idempotency-Key`. An invalid key is an invalid input, refused after
 * authentication and access; so is a body of another type, even on routes that need no body.
 */
export async function readOperation(
  c: Context,
  read: (c: Context) => Promise<unknown> = readBody
): Promise<{ readonly input: Unchecked; readonly options: OperationOptions }> {
  const operationId = c.req.header('idempotency-key')
  if (operationId === undefined || IDEMPOTENCY_KEY.test(operationId)) {
    const input = await read(c)
    return {
      input: input as Unchecked,
      options: {
        ...(operationId !== undefined && { operationId }),
        ...(isOfAnotherType(input) && { unreadableId: input }),
      },
    }
  }
  const errors = { 'Idempotency-Key': ['Must be 1 to 255 visible ASCII characters.'] }
  const unreadable = new UnreadableInput(invalid(errors))
  return { input: unreadable as Unchecked, options: { unreadableId: unreadable } }
}

/**
 * Reads the query for a function that checks it, and refuses names that it does not know. A repeated
 * parameter is a list of its values, which no parameter accepts. Those of `except` are not read: {@link
 * answer} refuses them.
 */
export function readQuery(c: Context<RouterEnv>, except: readonly string[] = []): Unchecked {
  const values = Object.entries(c.req.queries())
    .filter(([name]) => !except.includes(name))
    .map(([name, given]) => [name, given.length === 1 ? given[0] : given] as const)
  c.set(
    'checkedParameters',
    values.map(([name]) => name)
  )
  return Object.fromEntries(values) as Unchecked
}

function isOfAnotherType(input: unknown): input is UnreadableInput {
  return input instanceof UnreadableInput && input.refusal.code === 'unsupported_media_type'
}

/**
 * Responds with the result of an operation. Refuses other query parameters than those that were read, but
 * only after the caller's access was checked.
 */
export function answer<
  Code extends RefusalCode,
  T extends object = never,
  Status extends 200 | 201 | 202 = 200,
>(
  c: Context,
  result: Result<T, Code>,
  status?: Status
): Answer<T, Status, Code | 'validation_error'>
export function answer(
  c: Context,
  result: Result<object>,
  status: 200 | 201 | 202 = 200
): Response {
  if (!result.ok) return problemResponse(result.error)
  const known = queryIsKnown(c)
  return known.ok ? c.json(result.value, status) : problemResponse(known.error)
}

/** Responds to a refusal, in a route that checks no input. */
export function deny<Code extends RefusalCode>(refusal: RefusalOf<Code>): Answer<never, 200, Code> {
  return problemResponse(refusal) as Response as Answer<never, 200, Code>
}

function queryIsKnown(c: Context): Result<null, 'validation_error'> {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return ok(null)
  const checked = (c as Context<RouterEnv>).var.checkedParameters ?? []
  const unknown = Object.keys(c.req.queries()).filter((name) => !checked.includes(name))
  if (unknown.length === 0) return ok(null)
  return refused(invalid(Object.fromEntries(unknown.map((name) => [name, ['Unknown parameter.']]))))
}

/** Responds to an operation without a value. */
export function done<Code extends RefusalCode>(
  c: Context,
  result: Result<unknown, Code>
): Done<Code>
export function done(c: Context, result: Result<unknown>): Response {
  return result.ok ? c.body(null, 204) : problemResponse(result.error)
}

/**
 * Authenticates a request: returns a principal, a query that finds one in the library's own round trip,
 * or null for a request without an identity.
 *
 * @example
 * ```ts
 * const authenticate: Authenticate = async (c) => {
 *   const claims = await verify(c.req.header('authorization'))
 *   return claims ? { userId: claims.sub } : null
 * }
 * ```
 */
export type Authenticate = (c: Context) => Caller | null | Promise<Caller | null>

/** @throws {TypeError} if it is not a function. */
export function checkAuthenticate(where: string, authenticate: unknown): void {
  if (typeof authenticate !== 'function') {
    throw new TypeError(`${where}: authenticate must be a function.`)
  }
}

/**
 * Reads the facts of a request for the audit trail; no decision depends on them. The id is Cloudflare's
 * own, or the client's `x-request-id`, marked as theirs (`client:`), or that of `hono/request-id`.
 * Outside Cloudflare any client can set the headers; their length is bounded.
 */
export function marksOfRequest(c: Context): RequestInfo {
  const ray = mark(c.req.header('cf-ray'))
  const named = mark(c.req.header('x-request-id'))
  const [, traceId] = TRACE.exec(c.req.header('traceparent') ?? '') ?? []
  const ipAddress = c.req.header('cf-connecting-ip')
  const userAgent = c.req.header('user-agent')
  const made: unknown = c.get('requestId')
  const requestId = ray ?? (named ? `client:${named}` : mark(made))
  return {
    ...(requestId && { requestId }),
    origin: {
      ...(traceId && { traceId }),
      ...(ipAddress && { ipAddress }),
      ...(userAgent && { userAgent }),
    },
  }
}

// Version 00 has 55 characters; a later one may append more.
const TRACE =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/

function mark(header: unknown): string | undefined {
  return typeof header === 'string' && /^[\w-]{1,64}$/.test(header) ? header : undefined
}

/** The variables on `c.var` after authentication; the caller and the organization may be null. */
export interface ScopeVariables<Permission extends string = string> {
  readonly caller: Principal | null
  /** The organization that this request works in. */
  readonly organization: Organization | null
  /** The caller's membership in it, read for this request; null for a service account. */
  readonly membership: Membership | null
  readonly role: string | null
  /** The permissions of the role; empty without a role. */
  readonly permissions: readonly Permission[]
}

/** The variables on `c.var` after `loadOrganizationFromSlug` and `requireMembership`. */
export interface OrganizationVariables<
  Permission extends string = string,
> extends ScopeVariables<Permission> {
  readonly caller: Principal
  readonly organization: Organization
  readonly role: string
}

/** The environment of routes after `loadActiveOrganization`. */
export interface ScopeEnv<Permission extends string = string> {
  Variables: ScopeVariables<Permission>
}

/** The environment of routes after `loadOrganizationFromSlug` or `requireMembership`. */
export interface OrganizationEnv<Permission extends string = string> {
  Variables: OrganizationVariables<Permission>
}
