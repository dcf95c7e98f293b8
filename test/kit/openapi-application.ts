/**
 * An application that mounts every route of the library, and the ways in which what it stands on can fail.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import type { Hono } from 'hono'
import { aroundDatabase, type Around } from '../../bench/meter.ts'
import { provisioning } from '../../host/identity/provisioning.ts'
import { addressVerification, deleteAccount, registration } from '../../host/identity/routes.ts'
import {
  billingWebhooks,
  hostAdapter,
  type Authenticate,
  type Host,
  type HostAdapter,
  openapiRoutes,
  paymentRoutes,
  seatgateRouter,
  stepUpRoutes,
} from '../../src/hono/index.ts'
import { groupRoutes, groups } from '../../src/hono/groups/index.ts'
import {
  authenticateImpersonation,
  impersonation,
  impersonationRoutes,
} from '../../src/hono/impersonation/index.ts'
import { apiKeys, authenticateKeys, keyRoutes } from '../../src/hono/keys/index.ts'
import { ownRoles, roleRoutes } from '../../src/hono/roles/index.ts'
import { scim, scimRoutes, scimTokenRoutes } from '../../src/hono/scim/index.ts'
import {
  billing,
  generateLogKey,
  joinRules,
  ledgerSeats,
  refuse,
  type Hooks,
  type MfaCheck,
} from '../../src/index.ts'
import { connectBilling } from '../../src/parts/billing/index.ts'
import { stripe } from '../../src/parts/billing/stripe/index.ts'
import {
  PLANS,
  RIGHTS,
  SECRET,
  UNLIMITED,
  adapterOf,
  byName,
  devBilling,
  everyHook,
  isChange,
  ledgersThat,
  seatgateWith,
  sinkOf,
  testEnv,
  unhashed,
  type FlatOptions,
} from './index.ts'

export { settled } from './settled-exchanges.ts'

export type Options = Partial<FlatOptions> & {
  readonly around?: Around
  readonly mfaCheck?: MfaCheck
  /** The answer of the billing provider. Default: that of its stand-in. */
  readonly provider?: () => Promise<Response>
  readonly mostKeys?: number
  readonly mostGroups?: number
  readonly mostInGroup?: number
  readonly mostRoles?: number
  /** Default: by the name in the token. */
  readonly authenticate?: Authenticate
  /** The host of the step-up. */
  readonly host?: Host
}

const { privateKey } = await generateLogKey('audit.example.com')

/** A host whose users prove who they are, each with a session of their own. */
export function hostWith({
  environment = 'test',
  mostAttempts = 20,
  ...changes
}: Partial<HostAdapter<{ readonly id: string | null }>> & {
  readonly environment?: string
  readonly mostAttempts?: number
} = {}): Host {
  return hostAdapter({
    environment,
    report() {},
    session: (c) => {
      if (c.req.header('x-sessionless')) return null
      return { id: `of ${c.req.header('authorization')}`, activeOrganizationId: null }
    },
    mostAttempts,
    adapter: () =>
      adapterOf({
        currentUser(from) {
          const object = from as { req?: { header(name: string): string }; userId?: string }
          const [, id] = /^Bearer user:(.+)$/.exec(object.req?.header('authorization') ?? '') ?? []
          return (id ?? object.userId) === undefined ? null : { id: id ?? object.userId ?? null }
        },
        stepUpChallenge: (_user, action) => ({ kind: 'totp', action }),
        verifyStepUp: (_user, params) => ({ ok: params === '123456' }),
        ...changes,
      }),
  })
}

export const dev = devBilling(testEnv.DB, 'https://app.example.com')

const acting = impersonation({ isOperator: (userId) => userId.startsWith('operator') })

export function configured({
  around = (_trip, run) => run(),
  mostKeys = 50,
  mostGroups = 100,
  mostInGroup = 1000,
  ...options
}: Options = {}) {
  const keys = apiKeys({ mostKeys })
  const grouped = groups({ limit: mostGroups, memberLimit: mostInGroup })
  const own = drizzle(aroundDatabase(testEnv.DB, around))
  const pushed = scim({ provision: provisioning(own), deprovision: 'remove' })
  const seatgate = seatgateWith({
    keys,
    scim: pushed,
    groups: grouped,
    impersonation: acting,
    database: own,
    auditLogKey: privateKey,
    sinks: [sinkOf('siem')],
    registerUser: registration(own, unhashed),
    emailVerification: addressVerification(own),
    invitationLimits: UNLIMITED,
    joining: joinRules({ verifyDomain: () => true, links: {} }),
    lifecycle: { onDelete: deleteAccount(own) },
    billing: billing({ plans: PLANS, baseSeats: 50, lapsedSeats: 50 }),
    ...options,
  })
  return { ...seatgate, keys, groups: grouped, impersonation: acting, scim: pushed }
}

const connectedTo = (fetch: () => Promise<Response>) =>
  connectBilling({
    providers: [
      stripe({ apiKey: 'sk_test_1', webhookSecret: 'whsec_1', proration: 'none', fetch }),
    ],
    returnUrl: () => 'https://app.example.com',
  })

/** A configuration in which organizations make roles; the configured ones are those of the default. */
function withOwnRoles({
  mostRoles = 20,
  roles: _roles,
  ownerRole: _owner,
  invitationAdminRoles: _admins,
  seatlessRoles: _seatless,
  joining: _joining,
  ...others
}: Options) {
  const part = ownRoles({ limit: mostRoles })
  return { ...configured({ ...others, ...RIGHTS, ownRoles: part }), ownRoles: part }
}

/** Mounts every group of routes. */
export function application({
  provider,
  mfaCheck = (_userId) => true,
  authenticate: own = byName,
  host = hostWith(),
  ...options
}: Options = {}): Hono {
  const seatgate = configured(options)
  const authenticate = authenticateImpersonation(seatgate, authenticateKeys(seatgate, own))
  const router = seatgateRouter(seatgate, {
    authenticate,
    signIn: async () => 'session-token',
    mfaCheck,
  }) as unknown as Hono
  return router
    .route('/', keyRoutes(seatgate, { authenticate }) as unknown as Hono)
    .route('/', groupRoutes(seatgate, { authenticate }) as unknown as Hono)
    .route('/', roleRoutes(withOwnRoles(options), { authenticate }) as unknown as Hono)
    .route('/', impersonationRoutes(seatgate, { authenticate }) as unknown as Hono)
    .route('/', scimTokenRoutes(seatgate, { authenticate }) as unknown as Hono)
    .route('/scim/v2', scimRoutes(seatgate))
    .route(
      '/',
      paymentRoutes(seatgate, provider ? connectedTo(provider) : dev.connection, { authenticate })
    )
    .route('/', billingWebhooks(seatgate, dev.connection))
    .route('/', stepUpRoutes(seatgate, host, { authenticate: (c) => host.authenticate(c) }))
    .route('/', openapiRoutes({ openapi: '3.1.0' }))
}

const every = (hook: () => unknown) =>
  Object.fromEntries(
    Object.keys(everyHook(() => {}))
      .filter((name) => name.startsWith('before'))
      .map((name) => [name, hook])
  ) as Hooks

export const failing =
  (message: string, when: (asked: readonly string[]) => boolean = () => true): Around =>
  ({ asked }, run) =>
    when(asked) ? Promise.reject(new Error(message)) : run()

export const throws = () => {
  throw new Error('The hook fails.')
}

// A failure that is certain: the seat that was claimed is free again.
const CONFLICT = 'D1_ERROR: UNIQUE constraint failed: projects.name: SQLITE_CONSTRAINT'
export const lost = failing(CONFLICT, isChange)

/** An application that grants nothing: no change can be written. */
export const unwritable = application({ around: lost })

/** An application whose callers prove who they are in another way, and wrongly. */
export const stepping = application({ around: lost, stepUp: () => false })

/** The ledgers do not answer; D1 does. */
export const withoutLedgers = ledgerSeats(ledgersThat('everything', throws))

/** Applications whose database fails. */
export const BROKEN: readonly Hono[] = [
  application({ seats: withoutLedgers, around: lost }),
  application({ around: failing('D1_ERROR: disk I/O error: SQLITE_IOERR') }),
  application({ around: failing('D1_ERROR: too many SQL variables: SQLITE_ERROR') }),
  application({ around: failing('D1_ERROR: no such column: seat_id: SQLITE_ERROR') }),
]

/** Applications in which a change is refused, whatever it is. */
export const ADVERSE: readonly Hono[] = [
  unwritable,
  application({
    hooks: every(() => refuse('not_now')),
    lifecycle: { onDelete: () => refuse('not_now') as never },
    around: lost,
  }),
  application({ hooks: every(throws), lifecycle: { onDelete: throws }, around: lost }),
  application({
    around: failing(
      'D1_ERROR: UNIQUE constraint failed: seatgate_audit_events.organization_id, seatgate_audit_events.sequence: SQLITE_CONSTRAINT',
      isChange
    ),
  }),
]

/** The application with another secret, which cannot read what the first one has encrypted. */
export const rotated = application({ secret: `${SECRET}, and another one`, around: lost })
