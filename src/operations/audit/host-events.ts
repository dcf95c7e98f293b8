/**
 * Events of the host, in the same trail as the library's.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { isReserved } from '../../engine/audit/event-rules.ts'
import { and, eq, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { guard } from '../../database/commit.ts'
import { StoreUnavailable } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { SYSTEM } from '../../engine/audit/event.ts'
import { onlyOnce } from '../../engine/audit/only-once.ts'
import { assemble, type Prepared } from '../../engine/changes/prepare-change.ts'
import { contextOf } from '../../engine/changes/change-context.ts'
import { saltPersonalData } from '../../engine/audit/personal-rows.ts'
import { personalDigest } from '../../proof/personal.ts'
import { commitTogether } from '../../engine/changes/together.ts'
import { isIdentifier } from '../../engine/access/organization-ref.ts'
import { invalid, ok, refused, type Refusal, type Result } from '../../base/result.ts'
import {
  attributionOf,
  checkCaller,
  requestInfoOf,
  type Principal,
  type Scope,
} from '../../engine/access/principal.ts'
import { checkTexts, draftOf, type HostEvent, type HostEventContext } from './host-event-rules.ts'

/** The actor and the organization of a host event. Without an organization it belongs to the platform. */
export type EventScope = Scope & { readonly caller: Principal }

/** A recorded event. */
export interface RecordedId {
  readonly id: string
}

/**
 * Prepares events of the host for a batch of the host, so that both are committed or neither is. Sends no
 * query to D1.
 *
 * Refusals: `validation_error`; `commitTogether` answers `organization_not_found`, and
 * `idempotency_mismatch` if the key is on record for something else.
 *
 * @throws {TypeError} if an action has a reserved prefix, or the organization is not named by its id.
 *
 * @example
 * ```ts
 * const prepared = prepareEvents(seatgate, { caller: { userId }, organization: id }, [
 *   { action: 'billing.plan_changed', metadata: { plan: 'team' } },
 * ])
 * if (prepared.ok) await commitTogether(seatgate, prepared.value, { before: [updatePlan] })
 * ```
 */
export function prepareEvents(
  context: HostEventContext,
  scope: EventScope,
  events: readonly HostEvent[]
): Result<Prepared<readonly RecordedId[]>> {
  return assembleEvents(context, scope, events, onlyOnce)
}

function assembleEvents(
  context: HostEventContext,
  scope: EventScope,
  events: readonly HostEvent[],
  mark: typeof onlyOnce = (drafts) => drafts
): Result<Prepared<readonly RecordedId[]>> {
  const { db, eventRules } = context
  const { caller, organization: organizationId = SYSTEM } = scope
  checkCaller(caller)
  if (organizationId !== SYSTEM && !isIdentifier(organizationId)) {
    throw new TypeError('prepareEvents: the organization must be named by its id.')
  }
  const reserved = events.find((event) => isReserved(eventRules, event?.action))
  if (reserved) throw new TypeError(`prepareEvents: "${reserved.action}" has a reserved prefix.`)
  const { actor, effectiveUserId } = attributionOf(caller)
  const { requestId } = scope
  const named = checkTexts({ 'caller.id': actor.id, 'caller.userId': effectiveUserId, requestId })
  if (!named.ok) return named
  const drafts = []
  for (const event of events) {
    const draft = draftOf(eventRules, organizationId, event)
    if (!draft.ok) return draft
    drafts.push(draft.value)
  }
  const exists = sql`exists (select 1 from seatgate_organizations where id = ${organizationId})`
  const plan = {
    value: null,
    statements: organizationId === SYSTEM ? [] : [guard(db, 'organization_not_found', exists)],
    events: mark(drafts),
  }
  const info = { caller, ...requestInfoOf(scope), now: context.now() }
  const personal = saltPersonalData(context, contextOf(info), plan.events).map((row) => ({
    ...row,
    digest: personalDigest(row),
  }))
  const prepared = assemble(context, info, plan, [], personal)
  return ok({ ...prepared, value: prepared.events.map(({ id }) => ({ id })) })
}

/**
 * Records an event of the host. If its `idempotencyKey` is already recorded, returns the recorded event.
 *
 * Refusals: `validation_error`, `organization_not_found`, `idempotency_mismatch`, `unavailable`.
 *
 * @example
 * ```ts
 * await logEvent(seatgate, { caller: { userId }, organization: id }, {
 *   action: 'billing.charge_failed',
 *   outcome: 'failure',
 *   idempotencyKey: stripeEvent.id,
 * })
 * ```
 */
export function logEvent(
  context: HostEventContext,
  scope: EventScope,
  event: HostEvent
): Promise<Result<RecordedId>> {
  return observed(context, 'audit.log', async (context) => {
    const { db, eventRules } = context
    if (isReserved(eventRules, event?.action)) {
      return refused(invalid({ action: ['reserved_prefix: is reserved.'] }))
    }
    const prepared = assembleEvents(context, scope, [event])
    if (!prepared.ok) return prepared
    const done = await commitTogether(context, prepared.value)
    if (!done.ok) return done
    const [written] = done.value
    const { idempotencyKey } = event
    if (written === undefined) return refused({ code: 'unavailable' })
    if (idempotencyKey === undefined) return ok(written)
    const { there } = await batch(db, {
      there: db
        .select({ id: auditEvents.id })
        .from(auditEvents)
        .where(
          and(
            eq(auditEvents.organizationId, scope.organization ?? SYSTEM),
            eq(auditEvents.idempotencyKey, idempotencyKey)
          )
        ),
    })
    return ok(there[0] ?? written)
  })
}

/**
 * Records an event and never fails: an error becomes the metric `audit.log_failed`, with the action, the
 * reason and the names of fields.
 *
 * @example
 * ```ts
 * await logSafe(seatgate, { caller: { type: 'system' } }, { action: 'job.finished' })
 * ```
 */
export async function logSafe(
  context: HostEventContext,
  scope: EventScope,
  event: HostEvent
): Promise<void> {
  const failed = (reason: string, fields: readonly string[]) =>
    context.measure({ name: 'audit.log_failed', action: event?.action, reason, fields })
  try {
    const logged = await logEvent(context, scope, event)
    if (!logged.ok) failed(logged.error.code, fieldsOf(logged.error))
  } catch (error) {
    failed(error instanceof StoreUnavailable ? 'unavailable' : 'error', [])
  }
}

function fieldsOf(refusal: Refusal): readonly string[] {
  return refusal.code === 'validation_error' ? Object.keys(refusal.errors) : []
}
