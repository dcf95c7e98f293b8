import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { seatgateRouter, type Authenticate } from 'seatgate/hono'
import { auditQueueHandler } from 'seatgate/worker'
import { sessionQuery, tokenOf } from '../../host/identity/sessions.ts'
import type { App, Bindings } from './app.ts'
import { measuredSeatgate } from './configuration.ts'

// The only one who sets seat limits.
const isOperator = ({ email }: { readonly email: string }) => email === 'operator@bench.test'

/** All routes of the library, with a session in the database. */
export function seatgateApp(bindings: Bindings, seats: 'ledger' | 'd1'): App {
  const seatgate = measuredSeatgate(bindings, seats)
  const database = drizzle(bindings.DB)
  const authenticate: Authenticate = async (c) => {
    const token = tokenOf(c)
    return token === null ? null : sessionQuery(database, token, isOperator)
  }
  const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))
  return { fetch: (request) => app.fetch(request), queue: auditQueueHandler(seatgate) }
}
