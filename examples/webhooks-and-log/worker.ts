/**
 * Every event goes to a signed webhook and into a log whose checkpoints are signed.
 *
 * @module
 */
import { env, waitUntil } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { auditLog, createSeatgate, d1Seats, forwarding, webhookSink } from 'seatgate'
import { seatgateRouter, type Authenticate } from 'seatgate/hono'
import { auditQueueHandler, sweepHandler } from 'seatgate/worker'

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats(),
  sessions: 'none',
  identity: { stepUp: () => false },
  audit: {
    forwarding: forwarding({
      sinks: [webhookSink({ url: env.AUDIT_WEBHOOK_URL, secret: env.AUDIT_WEBHOOK_SECRET })],
    }),
    log: auditLog({
      // From `npx seatgate keygen audit.example.com`.
      key: env.AUDIT_LOG_KEY,
      // Keeps checkpoints outside of the database. The first one of each size stays.
      publishCheckpoint: ({ organizationId, size, note }) =>
        env.CHECKPOINTS.put(`${organizationId}/${size}`, note, {
          onlyIf: { etagDoesNotMatch: '*' },
        }),
    }),
  },
  runtime: { queue: env.AUDIT_QUEUE, waitUntil },
})

// Replace this function and `stepUp`: this one trusts a header that any client can set.
const authenticate: Authenticate = (c) => {
  const userId = c.req.header('x-user-id')
  return userId ? { userId } : null
}

const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))

export default {
  fetch: app.fetch,
  queue: auditQueueHandler(seatgate),
  scheduled: sweepHandler(seatgate),
}
