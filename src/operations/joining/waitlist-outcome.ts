import { eq } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { joinRequests } from '../../database/schema.ts'
import { membershipView } from '../../engine/model/membership.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { membershipOfRequester } from './joining-lookup.ts'
import {
  isPendingRequest,
  pendingOutcome,
  type JoinOutcome,
} from '../../engine/model/join-request.ts'
import type { JoiningContext } from './join-rules.ts'

/**
 * Admits a user on the waitlist at once if there is a seat. Returns the outcome.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the user is then on the waitlist.
 */
export async function outcomeInLine(
  seatgate: JoiningContext,
  outcome: JoinOutcome
): Promise<Result<JoinOutcome, 'not_pending'>> {
  if (outcome.status !== 'waiting') return ok(outcome)
  const { id, organizationId } = outcome.request
  await seatgate.joining.admitWaiting(seatgate, organizationId)
  const { requests, members } = await batch(seatgate.db, {
    requests: seatgate.db.select().from(joinRequests).where(eq(joinRequests.id, id)),
    members: membershipOfRequester(seatgate.db, id),
  })
  const [request] = requests
  const [member] = members
  if (request && isPendingRequest(request)) return ok(pendingOutcome(request))
  return member
    ? ok({ status: 'joined', membership: membershipView(member) })
    : refused({ code: 'not_pending' })
}
