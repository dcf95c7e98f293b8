import { batch } from '../database/batch.ts'
import type { Statement } from '../database/database.ts'
import { purgeRates } from '../engine/model/rate-limits.ts'
import { purgeOperations } from '../engine/changes/purge-operations.ts'
import { purgeAliases } from '../operations/organizations/slug-alias.ts'
import type { Seatgate } from '../seatgate.ts'
import { purgeFences } from '../engine/seats/purge-fences.ts'
import { purgeSessions } from '../operations/sessions/d1-sessions.ts'

/**
 * Deletes expired rows, in one round trip and at most 1,000 rows of each table; the next sweep continues.
 * A table without expired rows costs one lookup in an index.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function purgeExpired(seatgate: Seatgate): Promise<void> {
  const now = seatgate.now()
  const { invitations, joining } = seatgate
  const statements: readonly Statement[] = [
    purgeAliases(seatgate, now),
    purgeRates(seatgate, now),
    ...(invitations?.purge({ ...seatgate, invitations }, now) ?? []),
    ...purgeOperations(seatgate, now),
    purgeSessions(seatgate, now),
    ...purgeFences(seatgate, now),
    ...(joining ? [joining.purge(seatgate, now)] : []),
  ]
  await batch(seatgate.db, Object.fromEntries(statements.entries()))
}
