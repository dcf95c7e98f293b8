/** A user of {@link testHostAdapter}. */
export interface TestUser {
  readonly id: string
  readonly admin?: boolean
}

/** An operator action as `logAudit` received it. */
export interface LoggedAction {
  readonly user: { readonly id: string } | null
  readonly action: unknown
}

/** A host adapter for tests: its user is set by the test, and it keeps the logged actions. */
export interface TestHostAdapter {
  readonly testOnly: true
  /** Sets the user of all requests; null signs out. */
  signIn(user: TestUser | null): void
  /** The operator actions so far. */
  readonly logged: readonly LoggedAction[]
  currentUser(from: unknown): TestUser | null
  requireAdmin(): (c: unknown, next: () => Promise<void>) => Promise<Response | undefined>
  userSchema(): null
  logAudit(user: { readonly id: string } | null, action: unknown): undefined
  actorId(user: TestUser): string
  isAdmin(user: TestUser): boolean
  stepUpChallenge(): { readonly kind: string; readonly approved: true }
  verifyStepUp(user: TestUser, params: unknown): { readonly ok: boolean }
}

/**
 * Creates a host adapter for tests. Its step-up approves challenges by itself, and takes the proof
 * `{ code: 'right' }`. Each call makes an adapter of its own, so that tests do not share a user.
 *
 * @throws {TypeError} in any other environment than `test` and `development`.
 *
 * @example
 * ```ts
 * const adapter = testHostAdapter('test')
 * const host = hostAdapter({ adapter: () => adapter, environment: 'test' })
 * adapter.signIn({ id: 'ada', admin: true })
 * ```
 */
export function testHostAdapter(environment: string | undefined): TestHostAdapter {
  if (environment !== 'test' && environment !== 'development') {
    throw new TypeError('testHostAdapter: it is for tests and does not run in production.')
  }
  let current: TestUser | null = null
  const logged: LoggedAction[] = []
  return {
    testOnly: true,
    logged,
    signIn(user) {
      current = user
    },
    currentUser: () => current,
    requireAdmin: () => async (_c, next) => {
      if (current?.admin !== true) return new Response(null, { status: 403 })
      await next()
      return undefined
    },
    userSchema: () => null,
    logAudit(user, action) {
      logged.push({ user, action })
      return undefined
    },
    actorId: ({ id }) => id,
    isAdmin: ({ admin }) => admin === true,
    stepUpChallenge: () => ({ kind: 'test', approved: true }),
    verifyStepUp: (_user, params) => ({
      ok:
        typeof params === 'object' &&
        params !== null &&
        'code' in params &&
        params.code === 'right',
    }),
  }
}
