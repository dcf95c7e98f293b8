/**
 * The host adapter: one object of callbacks for the current user, the administrators of the platform, the
 * log of operator actions and step-up. It maps onto the options of the library and adds no second system.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from 'hono'
import { within } from '../base/async.ts'
import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Report } from '../base/runtime.ts'
import type { UserTable } from '../database/database.ts'
import { ACTIONS } from '../engine/audit/actions.ts'
import type { AuditEvent } from '../engine/audit/event.ts'
import type { Session, UserPrincipal } from '../engine/access/principal.ts'
import type { Sink } from '../engine/delivery/sink.ts'
import type { StepUpRules } from '../operations/sessions/step-up.ts'
import { reportToConsole } from '../report-to-console.ts'

/** An operator action, without secrets: names, ids and times. */
export interface OperatorAction {
  readonly id: string
  readonly action: string
  readonly outcome: AuditEvent['outcome']
  /** The organization that it is about; null for the platform. */
  readonly organizationId: string | null
  readonly targetType: string | null
  readonly targetId: string | null
  readonly metadata: AuditEvent['metadata']
  readonly occurredAt: string
}

/** The step by which a user proves their identity. */
export interface StepUpChallenge {
  /** Such as `totp` or `password`; your page shows the form for it. */
  readonly kind: string
  /** Approves without a proof. Only in the environment `test`. */
  readonly approved?: boolean
  readonly [field: string]: unknown
}

/** The outcome of a proof. */
export type StepUpAnswer = { readonly ok: true } | { readonly ok: false; readonly reason?: string }

/**
 * The callbacks of the host. `User` is the host's own type of a user. `stepUpChallenge` and `verifyStepUp`
 * stand together or are both absent.
 */
export interface HostAdapter<User = unknown> {
  /**
   * Returns the user of a request, or of a plain object such as `{ userId }`; null without one.
   */
  currentUser(from: unknown): User | null | Promise<User | null>
  /** Returns the middleware that rejects all users but administrators of the platform. */
  requireAdmin(): MiddlewareHandler
  /** Returns the Drizzle table of users; null: lists show no names, and no user is looked up. */
  userSchema(): UserTable | null
  /** Receives operator actions after their commit. An error is counted and tried again. */
  logAudit(user: { readonly id: string } | null, action: OperatorAction): unknown
  /** Returns the id of a user. Numbers become strings. */
  actorId(user: User): string | number | null
  /** Whether a user administers the platform. Absent: no user does. */
  isAdmin?(user: User): boolean | Promise<boolean>
  /** Returns the action that the user has to take before a destructive operation. */
  stepUpChallenge?(user: User, action: string): StepUpChallenge | Promise<StepUpChallenge>
  /** Checks the proof. `params` is the JSON of the request, unchecked. */
  verifyStepUp?(user: User, params: unknown, action: string): StepUpAnswer | Promise<StepUpAnswer>
  /** Marks an adapter for tests, which does not run in production. */
  readonly testOnly?: true
}

/** Why an adapter is refused. */
export type HostAdapterCode =
  | 'host_adapter_missing'
  | 'host_adapter_incomplete'
  | 'host_adapter_half_step_up'
  | 'host_adapter_test_only'

/** An adapter that cannot be used, with a stable code. */
export class HostAdapterError extends TypeError {
  override readonly name = 'HostAdapterError'
  readonly code: HostAdapterCode

  constructor(code: HostAdapterCode, message: string) {
    super(`${code}: ${message}`)
    this.code = code
  }
}

/** Options of {@link hostAdapter}. */
export interface HostAdapterOptions<User = unknown> {
  /** Returns the adapter. Called for each use, so that a change needs no rebuild. */
  readonly adapter: () => HostAdapter<User> | null | undefined
  /** The name of the environment. All but `development` and `test` are production. */
  readonly environment: string | undefined
  /** Returns the session of a request, which a proof belongs to. Default: no session. */
  readonly session?: (c: Context) => Session | null | Promise<Session | null>
  /** For how long a session is fresh after a proof. Default 300. */
  readonly freshSeconds?: number
  /** How many proofs a user may try in 15 minutes. Default 5. */
  readonly mostAttempts?: number
  /** Receives failures of callbacks. Default: prints a line. */
  readonly report?: (report: Report) => void
}

const OPTIONS = namesOf<HostAdapterOptions>({
  adapter: true,
  environment: true,
  session: true,
  freshSeconds: true,
  mostAttempts: true,
  report: true,
})

const REQUIRED = ['currentUser', 'requireAdmin', 'userSchema', 'logAudit', 'actorId'] as const
const WINDOW_SECONDS = 15 * 60
const CALL_SECONDS = 5

/** A checked adapter. */
export interface Host {
  readonly isProduction: boolean
  readonly isTest: boolean
  readonly rules: StepUpRules
  /** The table of users, for `identity.users`; null without one. */
  readonly users: UserTable | null
  /** Authenticates a request, for the options of routes. Null if a callback fails. */
  authenticate(c: Context): Promise<UserPrincipal | null>
  /** Whether a request is of an administrator; false if a callback fails or is absent. */
  isAdmin(c: Context): Promise<boolean>
  /** Rejects all users but administrators, as the host does. Fails closed. */
  requireAdmin(): MiddlewareHandler
  /** Delivers operator actions to `logAudit`: `forwarding({ sinks: [host.auditSink()] })`. */
  auditSink(options?: { readonly id?: string; readonly deadlineSeconds?: number }): Sink
  /** The challenge of an action; null if there is no step-up, or a callback fails. */
  challenge(userId: string, action: string): Promise<StepUpChallenge | null>
  /** Checks a proof. False without step-up. */
  verify(userId: string, action: string, params: unknown): Promise<boolean>
  /** Whether both step-up callbacks are there now. */
  hasStepUp(): boolean
}

/** The actions of operators that {@link Host.auditSink} delivers. */
export const OPERATOR_ACTIONS: readonly string[] = Object.keys(ACTIONS).filter((action) =>
  /^operator\.|^audit\.|^organization\.restore$|^seat\.(?:limit_changed|entitlement_set|drift_repaired)$/.test(
    action
  )
)

/**
 * Checks the host's adapter at start and resolves it for each use.
 *
 * @throws {HostAdapterError} in production without an adapter or with one for tests, if a required
 *   callback is missing, or if one of the two step-up callbacks is there without the other.
 *
 * @example
 * ```ts
 * const host = hostAdapter({ adapter: () => adapter, environment: env.ENVIRONMENT })
 * const seatgate = createSeatgate({
 *   …,
 *   identity: { users: host.users, verifyPassword },
 *   audit: { forwarding: forwarding({ sinks: [host.auditSink()] }) },
 * })
 * app.route('/', seatgateRouter(seatgate, { authenticate: host.authenticate }))
 * app.use('/admin/*', host.requireAdmin())
 * ```
 */
export function hostAdapter<User>(options: HostAdapterOptions<User>): Host {
  checkOptionNames('hostAdapter', options, OPTIONS)
  const { adapter: resolve, environment, session, report = reportToConsole } = options
  if (typeof resolve !== 'function') {
    throw new TypeError('hostAdapter: adapter must be a function that returns the adapter.')
  }
  const isTest = environment === 'test'
  const isProduction = !isTest && environment !== 'development'
  const rules = {
    freshSeconds: positive('freshSeconds', options.freshSeconds ?? 300),
    mostAttempts: positive('mostAttempts', options.mostAttempts ?? 5),
    windowSeconds: WINDOW_SECONDS,
  }
  const resolved = () => checkedAdapter(resolve(), isProduction)
  const first = resolved()

  // A failure is reported, and the answer is the one that grants no access.
  async function call<T>(
    event: string,
    closed: T,
    ask: (adapter: HostAdapter<User>) => T | Promise<T>
  ): Promise<T> {
    try {
      const adapter = resolved()
      if (adapter === null) return closed
      return await within(CALL_SECONDS, (async () => ask(adapter))())
    } catch (error) {
      report({ event, error })
      return closed
    }
  }
  const userOf = (from: unknown) =>
    call<User | null>('host_user_failed', null, async (adapter) => {
      return (await adapter.currentUser(from)) ?? null
    })
  const adminIs = (user: User | null) =>
    call('host_admin_failed', false, async (adapter) => {
      return user !== null && (await adapter.isAdmin?.(user)) === true
    })
  const withUser = async <T>(
    userId: string,
    closed: T,
    ask: (adapter: HostAdapter<User>, user: User) => T | Promise<T>
  ): Promise<T> => {
    const user = await userOf({ userId })
    return user === null ? closed : call('host_step_up_failed', closed, (one) => ask(one, user))
  }

  return {
    isProduction,
    isTest,
    rules,
    users: first?.userSchema() ?? null,
    async authenticate(c) {
      const user = await userOf(c)
      if (user === null) return null
      const userId = await call('host_actor_failed', null, (one) => idOf(one.actorId(user)))
      if (userId === null) return null
      const own = session ? await call('host_session_failed', null, () => session(c)) : null
      const operator = await adminIs(user)
      return { userId, ...(operator && { operator }), ...(own && { session: own }) }
    },
    isAdmin: async (c) => adminIs(await userOf(c)),
    requireAdmin: () => requireAdminOf(resolved, async (c) => adminIs(await userOf(c)), report),
    auditSink({ id = 'host-audit', deadlineSeconds = CALL_SECONDS } = {}) {
      return {
        id,
        include: OPERATOR_ACTIONS,
        required: false,
        async deliver(event) {
          if (!isByOperator(event)) return { outcome: 'delivered' }
          const adapter = resolved()
          if (adapter === null) return { outcome: 'retry', reason: 'host_adapter_missing' }
          const user = event.actorId === null ? null : { id: event.actorId }
          const answer = await within(
            deadlineSeconds,
            (async () => adapter.logAudit(user, operatorAction(event)))()
          )
          return isFine(answer)
            ? { outcome: 'delivered' }
            : { outcome: 'retry', reason: 'invalid_answer' }
        },
      }
    },
    challenge: (userId, action) =>
      withUser<StepUpChallenge | null>(userId, null, async (adapter, user) => {
        return (await adapter.stepUpChallenge?.(user, action)) ?? null
      }),
    async verify(userId, action, params) {
      const user = await userOf({ userId })
      const adapter = resolved()
      if (user === null || !adapter?.verifyStepUp) return false
      const answer = await within(
        CALL_SECONDS,
        (async () => adapter.verifyStepUp?.(user, params, action))()
      )
      return answer?.ok === true
    },
    hasStepUp() {
      try {
        return resolved()?.verifyStepUp !== undefined
      } catch {
        return false
      }
    },
  }
}

// The middleware of the host decides first, and may answer in its own way.
function requireAdminOf(
  resolved: () => HostAdapter | null,
  isAdmin: (c: Context) => Promise<boolean>,
  report: (report: Report) => void
): MiddlewareHandler {
  return async function requireAdmin(c, next) {
    let guard: MiddlewareHandler | undefined
    try {
      guard = resolved()?.requireAdmin()
    } catch (error) {
      report({ event: 'host_admin_failed', error })
    }
    if (typeof guard !== 'function') return forbidden()
    let isPassed = false
    const answer = await guard(c, async () => {
      isPassed = true
    })
    if (!isPassed) return answer ?? forbidden()
    if (!(await isAdmin(c))) return forbidden()
    await next()
    return answer
  }
}

function forbidden(): Response {
  return new Response(null, { status: 403 })
}

function checkedAdapter<User>(
  adapter: HostAdapter<User> | null | undefined,
  isProduction: boolean
): HostAdapter<User> | null {
  if (adapter == null) {
    if (!isProduction) return null
    throw new HostAdapterError('host_adapter_missing', 'In production there must be an adapter.')
  }
  if (isProduction && adapter.testOnly === true) {
    throw new HostAdapterError('host_adapter_test_only', 'This adapter is only for tests.')
  }
  const missing = REQUIRED.filter((name) => typeof adapter[name] !== 'function')
  if (missing.length > 0) {
    throw new HostAdapterError('host_adapter_incomplete', `It lacks ${missing.join(', ')}.`)
  }
  const stepUp = (['stepUpChallenge', 'verifyStepUp'] as const).map((name) => typeof adapter[name])
  const isWhole = ['undefined', 'function'].some((kind) => stepUp.every((one) => one === kind))
  if (!isWhole) {
    throw new HostAdapterError(
      'host_adapter_half_step_up',
      'Pass both stepUpChallenge and verifyStepUp, or neither.'
    )
  }
  if (adapter.isAdmin !== undefined && typeof adapter.isAdmin !== 'function') {
    throw new HostAdapterError('host_adapter_incomplete', 'isAdmin must be a function.')
  }
  return adapter
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`hostAdapter: ${name} must be a whole number from 1.`)
}

function idOf(id: unknown): string | null {
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id)
  return typeof id === 'string' && id !== '' ? id : null
}

function isByOperator({ action, actorType }: AuditEvent): boolean {
  return action.startsWith('operator.') || actorType === 'operator'
}

// A caller that logs answers with no value, or says that all is well.
function isFine(answer: unknown): boolean {
  if (answer === undefined || answer === null || answer === true) return true
  return typeof answer === 'object' && (answer as { readonly ok?: unknown }).ok === true
}

function operatorAction(event: AuditEvent): OperatorAction {
  const { id, action, outcome, organizationId, targetType, targetId, metadata, occurredAt } = event
  return {
    id,
    action,
    outcome,
    organizationId: organizationId === 'system' ? null : organizationId,
    targetType,
    targetId,
    metadata,
    occurredAt,
  }
}
