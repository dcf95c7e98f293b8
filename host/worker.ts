/**
 * The reference host: Seatgate behind the smallest real identity.
 *
 * @module
 */
import { env, waitUntil } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import {
  auditQueueHandler,
  auditSweepHandler,
  createSeatgate,
  ledgerSeats,
  type WakeUp,
} from '../src/index.ts'
import { problemResponse, seatgateRouter, type Authenticate } from '../src/hono/index.ts'
import type { SeatLedger } from '../src/runtime/seat-ledger.ts'
import { identityRoutes } from './identity/routes.ts'
import { users } from './identity/schema.ts'
import { sessionQuery, tokenOf } from './identity/sessions.ts'
import { readSettings, type Variables } from './settings.ts'

export { SeatLedger } from '../src/runtime/seat-ledger.ts'

interface Bindings extends Variables {
  readonly DB: D1Database
  readonly SEATS: DurableObjectNamespace<SeatLedger>
  readonly AUDIT_QUEUE: Queue<WakeUp>
}

const { DB, SEATS, AUDIT_QUEUE, ...variables } = env as unknown as Bindings
const settings = readSettings(variables)
const database = drizzle(DB)

const seatgate = createSeatgate({
  database,
  seats: ledgerSeats(SEATS, { reservationSeconds: settings.reservationSeconds }),
  defaultSeatLimit: settings.defaultSeatLimit,
  users,
  sinks: settings.sinks,
  queue: AUDIT_QUEUE,
  waitUntil,
})

const authenticate: Authenticate = async (c) => {
  const token = tokenOf(c)
  return token === null ? null : sessionQuery(database, token, settings.isOperator)
}

const app = new Hono()
  .get('/healthz', (c) => c.json({ status: 'ok' }))
  .route('/', identityRoutes(database))
  .route('/', seatgateRouter(seatgate, { authenticate }))
  .notFound(() => problemResponse({ code: 'not_found' }))
  // Not even a mistake of ours tells a client about the inside.
  .onError((error) => {
    console.error('request_failed', error.name)
    return 'getResponse' in error ? error.getResponse() : problemResponse({ code: 'unavailable' })
  })

export default {
  fetch: app.fetch,
  queue: auditQueueHandler(seatgate),
  scheduled: auditSweepHandler(seatgate),
} satisfies ExportedHandler<Bindings, WakeUp>
