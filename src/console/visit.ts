import type { Context, MiddlewareHandler } from 'hono'
import type { Child } from 'hono/jsx'
import { basePath } from 'hono/route'
import type { OrganizationScope, Scope } from '../engine/access/principal.ts'
import { isOperator } from '../engine/access/principal.ts'
import type { Roles } from '../engine/access/roles.ts'
import type { OwnPermission } from '../engine/access/permissions.ts'
import type { Result } from '../base/result.ts'
import { RefusalException } from '../hono/problem.ts'
import type { OrganizationVariables, RouterEnv } from '../hono/request.ts'
import { marksOfRequest } from '../hono/request.ts'
import { readForm, refusalOf } from '../hono/request-body.ts'
import type { JoinOutcome } from '../engine/model/join-request.ts'
import type { Seatgate } from '../seatgate.ts'
import type { BillingConnection } from '../parts/billing/connection.ts'
import type { Authenticate } from '../hono/request.ts'
import type { SignIn } from '../hono/routes/invitation-routes.ts'
import type { OperationOptions } from '../engine/changes/operation.ts'
import type { ConsoleFiles } from './console-files.ts'
import type { Routes } from './routes.ts'
import { keepOutcome, type Outcome } from './outcome.ts'
import type { Catalogue, TextKey } from './texts/en.ts'
import { catalogueFor, wordsIn, type Values, type Words } from './texts/languages.ts'

/** Options of `seatgateConsole`. */
export interface ConsoleOptions {
  /** Identifies the caller, as for the router. */
  readonly authenticate: Authenticate
  /** Where people sign in; `return_to` is added with the path to come back to. Default `/sign-in`. */
  readonly signInUrl?: string
  /** Where people sign out: a path that takes a POST, or an address. Default: no button. */
  readonly signOutUrl?: string
  /** The name at the top of each page. Default `Seatgate`. */
  readonly brand?: string
  /** Further languages beside English, such as `german`. `Accept-Language` chooses. Default: empty. */
  readonly languages?: readonly Catalogue[]
  /** Signs in a person who accepts an invitation with sign-up. Without it they sign up elsewhere. */
  readonly signIn?: SignIn
  /** The connection to the billing provider. Without it the billing page has no forms. */
  readonly billing?: BillingConnection
  /** Further pages, such as `inviteLinkPages`. A bundle has the code of those that are imported. */
  readonly sections?: readonly ConsoleSection[]
}

/** Further pages of a console. They are in the navigation for roles with the permission. */
export interface ConsoleSection {
  readonly key: TextKey
  readonly path: string
  readonly permission: OwnPermission
  /** Returns a notice for the top of a page; every page of the console asks for it. */
  readonly notice?: (c: Context, words: Words) => Child
  /** Adds the pages. */
  readonly mount: (setup: Console, routes: Routes) => void
}

/** The configuration of a console. */
export interface Console {
  readonly seatgate: Seatgate
  readonly options: ConsoleOptions
  readonly files: ConsoleFiles
}

/** The environment of its routes. */
export interface ConsoleEnv {
  Variables: RouterEnv['Variables'] &
    OrganizationVariables & {
      readonly words: Words
      /** The roles of the organization: the configured ones, and those that it has made. */
      readonly organizationRoles: Roles
      /** Redirects a caller whom a section no longer knows, in place of the sign-in page. */
      readonly leave?: () => Response
    }
}

export type Visit = Context<ConsoleEnv>

/** Finds the words of a request's language. */
export function findWords({ options, files }: Console): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    const known = [await files.english(), ...(options.languages ?? [])] as const
    c.set('words', wordsIn(catalogueFor(c.req.header('accept-language'), known)))
    await next()
  }
}

/** Returns the words of a request's language. */
export function wordsOf(c: Context): Words {
  return (c as Visit).var.words
}

/** Returns the path that the console is mounted at, without a slash at its end. */
export function baseOf(c: Context): string {
  return basePath(c).replace(/\/+$/, '')
}

/** Returns the path of the first page. */
export function homeOf(c: Context): string {
  return baseOf(c) || '/'
}

/** Returns the path of a page of the organization that the request names. */
export function pathIn(c: Context, page = ''): string {
  return pathOf(c, c.req.param('org') ?? '', page)
}

/** Returns the path of a page of an organization, by its id or slug. */
export function pathOf(c: Context, organization: string, page = '/members'): string {
  return `${baseOf(c)}/org/${encodeURIComponent(organization)}${page}`
}

export function scopeOf(c: Visit): Scope {
  return { caller: c.var.asking, ...marksOfRequest(c) }
}

export function inOrganization(c: Visit): OrganizationScope {
  return { ...scopeOf(c), organization: c.req.param('org') ?? '' }
}

/** Whether the person is an operator, and not acting as a user. */
export function byOperator(c: Visit): boolean {
  return isOperator(c.var.caller)
}

/** Whether the role of the caller has a permission in the organization of the page. */
export function may(c: Visit, permission: OwnPermission): boolean {
  return c.var.permissions.includes(permission)
}

/** A form as it was sent. */
export interface Fields {
  get(name: string): string
  /** Makes a form that is sent twice one operation. */
  readonly options: OperationOptions
}

/** Reads a form. */
export async function readFields(c: Context): Promise<Fields> {
  const form = await readForm(c)
  const unreadable = refusalOf(form)
  if (unreadable) throw new RefusalException(unreadable)
  const fields = form as Readonly<Record<string, string>>
  const operation = fields['operation'] ?? ''
  const known = /^[\w-]{8,64}$/.test(operation)
  return {
    get: (name) => fields[name] ?? '',
    options: known ? { operationId: `console:${operation}` } : {},
  }
}

/** Answers a form: keeps the outcome and redirects to the page that shows it. */
export function afterAct(
  c: Context,
  result: Result<unknown>,
  to: string,
  done: TextKey,
  values: Values = {}
): Response {
  const outcome: Outcome = result.ok
    ? { kind: 'done', key: done, values }
    : { kind: 'refused', refusal: result.error }
  return withOutcome(c, outcome, to)
}

/** Answers the form of a person who joined, or asked to. `organization` is its name. */
export function afterJoin(c: Context, outcome: JoinOutcome, organization: string): Response {
  const to = outcome.status === 'joined' ? pathOf(c, outcome.membership.organizationId) : homeOf(c)
  const key: TextKey = `join_${outcome.status}`
  return withOutcome(c, { kind: 'done', key, values: { organization } }, to)
}

/** Returns the page of a list that a request asks for. */
export function pageIn(c: Context): { readonly cursor?: string } {
  const cursor = c.req.query('cursor')
  return cursor === undefined ? {} : { cursor }
}

/** Returns the instant of a field for a time, which has no zone: here it is UTC. */
export function instantIn(text: string): string {
  const [, seconds] = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.exec(text) ?? ['', null]
  return seconds === null ? text : `${text}${seconds === undefined ? ':00' : ''}Z`
}

/** Redirects to a page that shows an outcome. */
export function withOutcome(c: Context, outcome: Outcome, to: string): Response {
  return c.redirect(keepOutcome(c, baseOf(c), outcome, to), 303)
}

/** Refuses a page that the role of the caller may not see. */
export function onlyIf(allowed: boolean): void {
  if (!allowed) throw new RefusalException({ code: 'insufficient_role' })
}

/** Returns the value of a result. A refusal becomes the page. */
export function granted<T>(result: Result<T>): T {
  if (!result.ok) throw new RefusalException(result.error)
  return result.value
}
