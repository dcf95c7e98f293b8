import { asc, inArray } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import { auditOutbox } from '../database/schema.ts'
import { inMessages, type ForwardingContext } from './dispatch.ts'
import { newInvocation, serveSideBySide } from './invocation.ts'
import { lookAround } from './rounds.ts'
import { tendOrganization, type TendContext } from './tend.ts'

const ORGANIZATIONS_PER_SWEEP = 1000
const SERVED_PER_SWEEP = 50

/**
 * Finds organizations with events that some sink has not had, however they were left behind, and
 * wakes the forwarder for each; without a queue it forwards them itself, as many events of all of them as
 * one invocation can. Those that waited longest come first, and among them another one each time, so that
 * none is starved. The next trails in turn are looked at too, so that a sink that is new gets those in
 * which nothing happens any more.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepAudit(seatgate: ForwardingContext): Promise<void> {
  const { db, queue, now } = seatgate
  const waiting = db
    .select({ organizationId: auditOutbox.organizationId })
    .from(auditOutbox)
    .orderBy(asc(auditOutbox.sweptAt))
    .limit(queue === null ? SERVED_PER_SWEEP : ORGANIZATIONS_PER_SWEEP)
  const { swept } = await batch(db, {
    ...lookAround(seatgate),
    swept: db
      .update(auditOutbox)
      .set({ sweptAt: now() })
      .where(inArray(auditOutbox.organizationId, waiting))
      .returning({ organizationId: auditOutbox.organizationId }),
  })
  if (queue === null) {
    await serve(
      seatgate,
      swept.map(({ organizationId }) => organizationId)
    )
    return
  }
  for (const messages of inMessages(swept.map(({ organizationId }) => organizationId))) {
    await queue.sendBatch(messages)
  }
}

// One that fails keeps no other from being served.
async function serve(seatgate: TendContext, organizationIds: readonly string[]): Promise<void> {
  const invocation = newInvocation()
  const failures: unknown[] = []
  const first = Math.floor(seatgate.random() * organizationIds.length)
  const line = [...organizationIds.slice(first), ...organizationIds.slice(0, first)]
  await serveSideBySide(seatgate, line, async (organizationId) => {
    try {
      await tendOrganization(seatgate, organizationId, invocation)
    } catch (error) {
      failures.push(error)
    }
  })
  if (failures.length > 0) throw failures[0]
}
