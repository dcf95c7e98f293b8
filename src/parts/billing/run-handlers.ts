/**
 * The host's own work for events. Each handler of an event is a row of its own, written with the outcome of
 * the event: it is tried again by itself, and not again once it has succeeded.
 *
 * @module
 */
import { and, asc, eq, isNotNull, lte, sql, type SQL } from 'drizzle-orm'
import { backoffSeconds, within } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { Database, Statement } from '../../database/database.ts'
import {
  billingHandlers,
  billingInbox,
  type BillingHandlerRow,
  type BillingInboxRow,
} from '../../database/schema/billing-inbox-tables.ts'
import {
  MOST_ATTEMPTS,
  type BillingConnection,
  type BillingHandler,
  type ConnectionContext,
} from './connection.ts'
import { codeOf } from './provider-error.ts'

const LEASE_SECONDS = 60
const CALL_SECONDS = 15
const MOST_AT_ONCE = 20

const handlersOf = ({ handlers }: BillingConnection, type: string): readonly BillingHandler[] =>
  handlers.filter(({ types }) => types === undefined || types.includes(type))

/**
 * Builds the statements that give work to the handlers, in the batch that ends the events. They write no row
 * if another run has the events by now, and no second row for the same event.
 */
export function handOver(
  db: Database,
  connection: BillingConnection,
  events: readonly Pick<
    BillingInboxRow,
    'provider' | 'account' | 'mode' | 'eventId' | 'type' | 'dueAt'
  >[],
  organizationId: string | null,
  now: Date,
  condition: (event: Pick<BillingInboxRow, 'dueAt'>) => SQL = ({ dueAt }) =>
    sql`due_at is ${dueAt?.getTime() ?? null}`
): readonly Statement[] {
  return events.flatMap((event) =>
    handlersOf(connection, event.type).map(({ name }) =>
      db
        .insert(billingHandlers)
        .select(
          sql`select provider, account, mode, event_id, ${name}, ${organizationId}, 0, ${now.getTime()}, null, null
          from ${billingInbox} where provider = ${event.provider} and account = ${event.account}
          and mode = ${event.mode} and event_id = ${event.eventId} and ${condition(event)}`
        )
        .onConflictDoNothing()
    )
  )
}

/** Runs the handlers that are due. A failure is recorded and tried again later. */
export async function runHandlers(context: ConnectionContext): Promise<void> {
  const { db, now, connection } = context
  if (connection.handlers.length === 0) return
  const time = now()
  const due = db
    .select({ key: keyOf() })
    .from(billingHandlers)
    .where(lte(billingHandlers.dueAt, time))
    .orderBy(asc(billingHandlers.dueAt))
    .limit(MOST_AT_ONCE)
  const { claimed } = await batch(db, {
    claimed: db
      .update(billingHandlers)
      .set({
        dueAt: new Date(time.getTime() + LEASE_SECONDS * 1000),
        attempts: sql`${billingHandlers.attempts} + 1`,
      })
      .where(and(isNotNull(billingHandlers.dueAt), sql`${keyOf()} in ${due}`))
      .returning(),
  })
  await Promise.all(claimed.map(async (row) => runHandler(context, row)))
}

async function runHandler(context: ConnectionContext, row: BillingHandlerRow): Promise<void> {
  const { db, now, random, report, connection } = context
  const { organizationId, attempts, dueAt, handler: name } = row
  const own = and(
    isEvent(row),
    eq(billingHandlers.handler, name),
    sql`due_at is ${dueAt?.getTime() ?? null}`
  )
  const set = (values: Partial<BillingHandlerRow>) =>
    batch(db, { set: db.update(billingHandlers).set(values).where(own) })
  const handler = connection.handlers.find((one) => one.name === name)
  try {
    const { found } = await batch(db, {
      found: rowsWhere(db, billingInbox, isInbox(row)),
    })
    const [event] = found
    if (event && handler) {
      const { provider, eventId, type, subscriptionId, customerId, providerTime } = event
      const told = {
        provider,
        eventId,
        type,
        subscriptionId,
        customerId,
        providerTime,
        organizationId,
      }
      await within(CALL_SECONDS, (async () => handler.handle(told))())
    }
    await set({ dueAt: null, finishedAt: now(), lastError: null })
  } catch (error) {
    report({
      event: 'billing_handler_failed',
      ...(organizationId !== null && { organizationId }),
      error,
    })
    const lastError = codeOf(error)
    if (attempts >= MOST_ATTEMPTS) {
      report({ event: 'billing_handler_dead', error })
      await set({ dueAt: null, finishedAt: now(), lastError })
      return
    }
    const seconds = backoffSeconds(attempts, random)
    await set({ dueAt: new Date(now().getTime() + seconds * 1000), lastError })
  }
}

/** Builds the condition that no handler has work for an event of the inbox any more. */
export function isHandled(): SQL {
  return sql`not exists (select 1 from seatgate_billing_handlers handled
    where handled.provider = seatgate_billing_inbox.provider
    and handled.account = seatgate_billing_inbox.account
    and handled.mode = seatgate_billing_inbox.mode
    and handled.event_id = seatgate_billing_inbox.event_id and handled.due_at is not null)`
}

/** Builds the condition that the event of a handler's row is gone from the inbox. */
export function withoutEvent(): SQL {
  return sql`not exists (select 1 from seatgate_billing_inbox inbox
    where inbox.provider = seatgate_billing_handlers.provider
    and inbox.account = seatgate_billing_handlers.account
    and inbox.mode = seatgate_billing_handlers.mode
    and inbox.event_id = seatgate_billing_handlers.event_id)`
}

function keyOf(): SQL {
  const { provider, account, mode, eventId, handler } = billingHandlers
  return sql`json_array(${provider}, ${account}, ${mode}, ${eventId}, ${handler})`
}

type EventKey = Pick<BillingHandlerRow, 'provider' | 'account' | 'mode' | 'eventId'>

function isEvent({ provider, account, mode, eventId }: EventKey): SQL | undefined {
  const { provider: p, account: a, mode: m, eventId: e } = billingHandlers
  return and(eq(p, provider), eq(a, account), eq(m, mode), eq(e, eventId))
}

function isInbox({ provider, account, mode, eventId }: EventKey): SQL | undefined {
  const { provider: p, account: a, mode: m, eventId: e } = billingInbox
  return and(eq(p, provider), eq(a, account), eq(m, mode), eq(e, eventId))
}
