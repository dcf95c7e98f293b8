import { sql } from 'drizzle-orm'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { batch } from '../../database/batch.ts'
import { auditOutbox } from '../../database/schema/audit-tables.ts'
import { rotations } from '../../database/schema/changes-tables.ts'
import {
  newInvocation,
  serveSideBySide,
  statementsToTend,
  tendOrganization,
  type TendContext,
} from './tend-trail.ts'
import { measureLag } from './lag.ts'
import { passTrails, waitingTrails } from './waiting-trails.ts'
import { inMessages, wakeConsumers } from './wake-consumers.ts'
import { awaiting, isAwaited, isSettled, type ConsumerContext } from '../audit/consumers.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'

const ORGANIZATIONS_PER_SWEEP = 1000
const SERVED_PER_SWEEP = 50
const STATEMENTS_TO_FIND = 4

/**
 * Finds organizations with events that a consumer has not read, and wakes the consumers of each. Without
 * a queue it serves them itself, as many events as one invocation can, and as many organizations as it
 * has statements for. They come in turn, in order of their ids, and each time another one of them first, so
 * that no organization starves. It also checks the next trails in turn, so that a new sink receives those
 * in which no change happens any more.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await sweepAudit(seatgate)
 * ```
 */
export async function sweepAudit(unbudgeted: TendContext): Promise<void> {
  const context = budgeted(unbudgeted)
  const { db, queue, budget } = context
  const served = budget.rows(
    SERVED_PER_SWEEP,
    Math.max(1, statementsToTend(context)),
    STATEMENTS_TO_FIND
  )
  const limit = queue === null ? served : ORGANIZATIONS_PER_SWEEP
  const { waiting } = await batch(db, {
    ...lookAround(context),
    waiting: db
      .select({ id: sql<string>`organization_id`.as('id') })
      .from(sql`${waitingTrails(limit)}`),
    passed: passTrails(db, limit),
  })
  const organizationIds = waiting.map(({ id }) => id)
  if (queue === null) {
    if (waiting.length === served && served < SERVED_PER_SWEEP) budget.leave()
    await serve(context, organizationIds)
    return
  }
  for (const messages of inMessages(organizationIds)) await queue.sendBatch(messages)
}

// A failure in one organization does not stop the others.
async function serve(
  context: Budgeted<TendContext>,
  organizationIds: readonly string[]
): Promise<void> {
  const invocation = newInvocation()
  const failures: unknown[] = []
  const first = Math.floor(context.random() * organizationIds.length)
  const line = [...organizationIds.slice(first), ...organizationIds.slice(0, first)]
  await serveSideBySide(context, line, async (organizationId) => {
    try {
      await context.budget.spend(statementsToTend(context), () =>
        tendOrganization(context, organizationId, invocation)
      )
    } catch (error) {
      failures.push(error)
    }
  })
  if (failures.length > 0) throw failures[0]
}

const TRAILS_PER_SWEEP = 100
const NAME = 'trails'

/**
 * Checks the next trails in turn, and puts those into the outbox that a consumer waits for although no
 * change happens in them: a sink that is new or switched on again, or a log that was configured later.
 * Takes a limited number at a time, in the order of the organizations' ids, and starts again at the end.
 */
function lookAround(context: DatabaseContext & ConsumerContext & Pick<Runtime, 'now'>) {
  if (!isAwaited(context)) return {}
  const { db, now } = context
  // Every trail has one row in that table; `seatgate_audit_events` has one per event.
  const next = sql`(select organization_id from seatgate_audit_retention
    where organization_id > coalesce((select place from seatgate_rotations where name = ${NAME}), '')
    order by organization_id limit ${TRAILS_PER_SWEEP})`
  const unsettled = sql`not ${isSettled(sql`next.organization_id`, awaiting(context))}`
  return {
    found: db
      .insert(auditOutbox)
      .select(
        sql`select organization_id, ${now().getTime()} from ${next} as next where ${unsettled}`
      )
      .onConflictDoNothing(),
    moved: db
      .insert(rotations)
      .select(
        sql`select ${NAME}, iif(count(*) = ${TRAILS_PER_SWEEP}, max(organization_id), '')
          from ${next} where true`
      )
      .onConflictDoUpdate({ target: rotations.name, set: { place: sql`excluded.place` } }),
  }
}

/** The sweep of the trails. With a queue it only sends wake-ups; without one it may have much to do. */
const trailSweep = {
  name: 'events',
  statements: 200,
  turn: ({ queue }: Pick<TendContext, 'queue'>) => (queue === null ? 70 : 0),
  async run(context: TendContext) {
    await sweepAudit(context)
    await measureLag(context)
  },
}

/** The listener and the sweep of every part that has consumers. */
export const servesTrails = { listeners: [wakeConsumers], sweeps: [trailSweep] }
