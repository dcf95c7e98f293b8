/**
 * The reference host: Seatgate behind the smallest real identity.
 *
 * @module
 */
import { env, waitUntil } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import {
  auditLog,
  billing,
  createSeatgate,
  d1Sessions,
  forwarding,
  invitations,
  joinRules,
  ledgerSeats,
  permissions,
  retention,
  type WakeUp,
} from '../src/index.ts'
import { ownFiles } from '../src/console/console-files.ts'
import {
  actingInConsole,
  apiKeyPages,
  german,
  groupPages,
  impersonationPages,
  inviteLinkPages,
  rolePages,
  scimTokenPages,
  seatgateConsole,
} from '../src/console/index.ts'
import { scim, scimRoutes, scimTokenRoutes } from '../src/hono/scim/index.ts'
import { groupRoutes, groups } from '../src/hono/groups/index.ts'
import {
  authenticateImpersonation,
  impersonation,
  impersonationRoutes,
} from '../src/hono/impersonation/index.ts'
import { apiKeys, authenticateKeys, keyRoutes } from '../src/hono/keys/index.ts'
import { ownRoles, roleRoutes } from '../src/hono/roles/index.ts'
import { sweepBilling } from '../src/parts/billing/index.ts'
import { auditQueueHandler, sweepHandler } from '../src/worker/index.ts'
import {
  billingWebhooks,
  openapiRoutes,
  paymentRoutes,
  problemResponse,
  seatgateRouter,
  type Authenticate,
} from '../src/hono/index.ts'
import type { SeatLedger } from '../src/worker/seat-ledger.ts'
import { addressProof } from './identity/address-proof.ts'
import {
  addressVerification,
  deleteAccount,
  identityRoutes,
  passwordCheck,
  registration,
  signIn,
} from './identity/routes.ts'
import { users } from './identity/schema.ts'
import { operatorCheck } from './identity/operators.ts'
import { provisioning } from './identity/provisioning.ts'
import { sessionQuery, sessionUser, tokenOf, touchSession } from './identity/sessions.ts'
import { boundRates, limitNetworks, limitUsers } from './identity/rate.ts'
import document from '../openapi.json'
import { checkpointsIn } from './checkpoints.ts'
import { txtRecordIsThere } from './dns.ts'
import { devBilling, PLANS } from './billing/dev-billing.ts'
import { printedMail, printedProof } from './mail.ts'
import { hostPages } from './pages.tsx'
import { readSettings, type Variables } from './settings.ts'

export { SeatLedger } from '../src/worker/seat-ledger.ts'

interface Bindings extends Variables {
  readonly DB: D1Database
  readonly SEATS: DurableObjectNamespace<SeatLedger>
  readonly AUDIT_QUEUE: Queue<WakeUp>
  readonly CHECKPOINTS?: R2Bucket
  readonly ARCHIVE?: R2Bucket
}

const { DB, SEATS, AUDIT_QUEUE, CHECKPOINTS, ARCHIVE, ...variables } = env as unknown as Bindings
const settings = readSettings(variables)
const rates = boundRates(settings.rates, env)
const database = drizzle(DB)
// Without an account of a provider: a stand-in, which runs in this Worker.
const dev =
  settings.publicUrl !== null && settings.printsMail ? devBilling(DB, settings.publicUrl) : null

const { impersonationMinutes } = settings
const acting =
  impersonationMinutes === null
    ? null
    : impersonation({
        isOperator: operatorCheck(database, settings.isOperator),
        mostMinutes: impersonationMinutes,
      })

const seatgate = createSeatgate({
  database,
  seats: ledgerSeats(SEATS, {
    defaultLimit: settings.defaultSeatLimit,
    reservationSeconds: settings.reservationSeconds,
  }),
  sessions: d1Sessions(),
  identity: {
    users,
    verifyPassword: passwordCheck(database),
    emailVerification: addressVerification(database),
  },
  invitations:
    settings.secret === null
      ? null
      : invitations({
          secret: settings.secret,
          holdSeats: settings.invitationsHoldSeats,
          registerUser: registration(database),
          ...(settings.printsMail &&
            settings.publicUrl !== null &&
            printedMail(settings.publicUrl)),
        }),
  joining: joinRules({
    verifyDomain: txtRecordIsThere(settings.dnsUrl),
    whenFull: { domain: settings.whenFull, request: settings.whenFull },
    links: { whenFull: settings.whenFull },
  }),
  scim: scim({ provision: provisioning(database), whenFull: settings.whenFull }),
  keys: apiKeys(),
  groups: groups(),
  impersonation: acting,
  roles: { permissions: permissions({ grants: { admin: ['*'] } }) },
  ownRoles: ownRoles(),
  ...(dev && {
    billing: billing({
      plans: PLANS,
      baseSeats: settings.defaultSeatLimit,
      lapsedSeats: PLANS.free.included,
    }),
  }),
  audit: {
    forwarding: forwarding({ sinks: settings.sinks }),
    log:
      settings.auditLogKey === null
        ? null
        : auditLog({ key: settings.auditLogKey, sealer: SEATS, ...checkpointsIn(CHECKPOINTS) }),
    retention: retention(
      settings.auditRetentionDays === null ? [] : [{ days: settings.auditRetentionDays }],
      ARCHIVE === undefined ? {} : { archive: ARCHIVE }
    ),
    ...(settings.secret !== null && { cursorSecret: settings.secret }),
  },
  hooks: { onDelete: deleteAccount(database) },
  runtime: { queue: AUDIT_QUEUE, waitUntil, ...(dev && { now: dev.now }) },
})

// Where mail goes out, those who sign up can prove their address by it.
const proof =
  settings.printsMail && settings.publicUrl !== null && settings.secret !== null
    ? addressProof(database, settings.secret, printedProof(settings.publicUrl))
    : null

const { verifiedAtSignUp } = settings
if (verifiedAtSignUp.size > 0) {
  const addresses = [...verifiedAtSignUp].join(', ')
  console.log(`In development OPERATOR_EMAILS count as verified at sign-up: ${addresses}`)
}

const authenticate: Authenticate = async (c) => {
  const token = tokenOf(c)
  return token === null ? null : sessionQuery(database, token, settings.isOperator)
}

const withTokens =
  acting === null
    ? authenticate
    : authenticateImpersonation({ ...seatgate, impersonation: acting }, authenticate)
const withKeys = authenticateKeys(seatgate, withTokens)

// Whoever holds a session could guess the password here.
const limitProofs = limitUsers(rates.proof, async (c) => {
  const token = tokenOf(c)
  return token === null ? null : ((await sessionUser(database, token))?.id ?? null)
})

// JSON: there is nothing that a browser should load or run for it. Pages have a policy of their own.
const NOTHING = ["'none'"]
const forJson = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: NOTHING,
    baseUri: NOTHING,
    formAction: NOTHING,
    frameAncestors: NOTHING,
  },
})
const forPages = secureHeaders({ referrerPolicy: 'same-origin' })

const devRoutes = new Hono()
if (dev) {
  devRoutes.route('/', paymentRoutes(seatgate, dev.connection, { authenticate }))
  devRoutes.route('/', billingWebhooks(seatgate, dev.connection))
  devRoutes.route('/', dev.routes(seatgate))
}

const actingRoutes = new Hono()
if (acting !== null) {
  const context = { ...seatgate, impersonation: acting }
  actingRoutes.route('/', impersonationRoutes(context, { authenticate: withTokens }))
}

const identity = identityRoutes(seatgate, { proof, verifiedAtSignUp, rates })
const pages = {
  authenticate:
    acting === null
      ? authenticate
      : actingInConsole({ ...seatgate, impersonation: acting }, authenticate),
  signInUrl: '/sign-in',
  signOutUrl: '/sign-out',
  languages: [german],
  sections: [
    inviteLinkPages,
    scimTokenPages,
    apiKeyPages,
    rolePages,
    groupPages,
    ...(acting === null ? [] : [impersonationPages]),
  ],
  signIn: signIn(seatgate),
  ...(dev && { billing: dev.connection }),
}

const app = new Hono()
  .use(requestId({ generator: (c) => c.req.header('cf-ray') ?? crypto.randomUUID() }))
  .use(async (c, next) => {
    await next()
    c.res.headers.set('x-request-id', c.get('requestId'))
  })
  .use(async (c, next) => {
    await next()
    const headers = c.res.headers.has('content-security-policy') ? forPages : forJson
    await headers(c, () => Promise.resolve())
  })
  .get('/healthz', (c) => c.json({ status: 'ok' }))
  .use(async (c, next) => {
    await next()
    const token = tokenOf(c)
    if (token !== null) waitUntil(touched(token))
  })
  .use(async (_c, next) => {
    await dev?.ready()
    await next()
  })
  .use('/invitations/accept-with-signup', limitNetworks(rates.network))
  .use('/invitation/sign-up', limitNetworks(rates.network))
  .on('POST', ['/organizations/:org/slug', '/organizations/:org/transfer'], limitProofs)
  .on('POST', ['/impersonations', '/operator/organizations/:org/impersonations'], limitProofs)
  .on('POST', ['/org/:org/settings/*', '/org/:org/transfer/:userId'], limitProofs)
  .on('DELETE', ['/organizations/:org', '/users/me'], limitProofs)
  .route('/', identity)
  .route('/', hostPages({ seatgate, options: pages, files: ownFiles }, identity))
  .route('/', seatgateConsole(seatgate, pages))
  .route('/', seatgateRouter(seatgate, { authenticate: withKeys, signIn: signIn(seatgate) }))
  .route('/', keyRoutes(seatgate, { authenticate: withKeys }))
  .route('/', groupRoutes(seatgate, { authenticate: withKeys }))
  .route('/', roleRoutes(seatgate, { authenticate: withKeys }))
  .route('/', scimTokenRoutes(seatgate, { authenticate: withTokens }))
  .route('/scim/v2', scimRoutes(seatgate))
  .route('/', actingRoutes)
  .route('/', openapiRoutes(document))
  .route('/', devRoutes)
  .notFound(() => problemResponse({ code: 'not_found' }))
  // Not even a mistake of ours tells a client about the inside.
  .onError((error) => {
    if ('getResponse' in error) return error.getResponse()
    console.error('request_failed', error.name)
    return problemResponse({ code: 'unavailable' })
  })

// Nobody waits for it, and nothing depends on it.
async function touched(token: string): Promise<void> {
  try {
    await touchSession(database, token, new Date())
  } catch {
    console.error('session_touch_failed')
  }
}

const sweep = sweepHandler(seatgate)

export default {
  fetch: app.fetch,
  queue: auditQueueHandler(seatgate),
  async scheduled() {
    await dev?.ready()
    await sweep()
    if (dev) await sweepBilling({ ...seatgate, connection: dev.connection })
  },
} satisfies ExportedHandler<Bindings, WakeUp>
