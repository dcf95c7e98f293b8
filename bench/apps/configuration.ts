import { waitUntil } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { createSeatgate, d1Seats, invitations, ledgerSeats } from 'seatgate'
import { users } from '../../host/identity/schema.ts'
import type { Bindings } from './app.ts'

/** Organizations without an entitlement of their own have this limit, which no measurement reaches. */
const defaultLimit = 1_000_000

/**
 * The configuration that is measured, in this one place: sessions and users in the database, invitations,
 * a queue, and neither a sink nor a log.
 */
export function measuredSeatgate({ DB, OBJECTS, QUEUE }: Bindings, seats: 'ledger' | 'd1') {
  return createSeatgate({
    database: drizzle(DB),
    seats:
      seats === 'ledger'
        ? ledgerSeats(OBJECTS as never, { defaultLimit })
        : d1Seats({ defaultLimit }),
    sessions: 'none',
    identity: { users, emailVerification: 'always', stepUp: () => false },
    invitations: invitations({ secret: 'a secret of the bench, long enough for its purpose' }),
    runtime: { queue: QUEUE, waitUntil },
  })
}
