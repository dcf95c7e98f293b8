import { sql } from 'drizzle-orm'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { joinRequests } from '../../database/schema.ts'

const REQUESTS_PER_SWEEP = 1000
const KEPT_DAYS = 90
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statement that deletes requests to join that were settled 90 days ago, the oldest first. The
 * row with the last place of its organization stays, so that places are not reused.
 */
export function purgeJoinRequests({ db }: DatabaseContext, now: Date): Statement {
  const before = now.getTime() - KEPT_DAYS * DAY_MS
  return db.delete(joinRequests).where(
    sql`${joinRequests.id} in (select settled.id from seatgate_join_requests settled
      where settled.state in ('joined', 'declined', 'withdrawn', 'closed')
      and settled.updated_at <= ${before}
      and (settled.place is null or exists (select 1 from seatgate_join_requests later
        where later.organization_id = settled.organization_id and later.place > settled.place))
      order by settled.updated_at limit ${REQUESTS_PER_SWEEP})`
  )
}
