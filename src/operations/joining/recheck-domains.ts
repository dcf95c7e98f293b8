import { and, inArray, isNotNull, sql } from 'drizzle-orm'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { organizationDomains, type DomainRow } from '../../database/schema/joining-tables.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { ok, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { decideRecheck, isProven } from './verify-domain.ts'
import { domainsOf, guardDomain } from './joining-lookup.ts'
import { configured, type JoiningContext } from './join-rules.ts'

const DOMAINS_PER_SWEEP = 10
const STATEMENTS_EACH = 25
const DAY_MS = 24 * 60 * 60_000

const host = { type: 'system' } as const

/**
 * Looks up the DNS records of verified domains again, the longest unchecked first, each once a day, at
 * most 10 at a time. A missing record is flagged; after the grace period the mode `auto` becomes
 * `request`. A failed lookup changes no row.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {TypeError} if the part is missing.
 */
export async function sweepDomains(context: JoiningContext): Promise<void> {
  // Checked first: without the part no domain is looked up, and each keeps its turn.
  configured(context)
  const within = budgeted(context)
  const due = await takeDue(within)
  await Promise.all(due.map((row) => recheck(within, row)))
}

// Each domain is marked before its lookup, so that one whose resolver hangs does not block the others.
async function takeDue({
  db,
  now,
  budget,
}: Budgeted<DatabaseContext & Pick<Runtime, 'now'>>): Promise<readonly DomainRow[]> {
  const most = budget.rows(DOMAINS_PER_SWEEP, STATEMENTS_EACH, 1)
  const { id, verifiedAt, checkedAt } = organizationDomains
  const first = db
    .select({ id })
    .from(organizationDomains)
    .where(and(isNotNull(verifiedAt), sql`${checkedAt} <= ${now().getTime() - DAY_MS}`))
    .orderBy(checkedAt)
    .limit(most)
  const { due } = await batch(db, {
    due: db
      .update(organizationDomains)
      .set({ checkedAt: now() })
      .where(inArray(id, first))
      .returning(),
  })
  if (due.length === most && most < DOMAINS_PER_SWEEP) budget.leave()
  return due
}

async function recheck(context: JoiningContext, row: DomainRow): Promise<void> {
  const proven = await isProven(context, row)
  if (!proven.ok && proven.error.code !== 'domain_not_verified') return
  const changed = await record(context, row, proven.ok)
  if (changed.ok) return
  const { organizationId } = row
  context.report({ event: 'domain_check_failed', organizationId, error: changed.error })
}

function record(context: JoiningContext, looked: DomainRow, found: boolean): Promise<Result<null>> {
  const { db } = context
  const { organizationId, id } = looked
  const scope = { caller: host, organization: organizationId }
  return perform(context, scope, {
    name: 'organization.domain.recheck',
    input: [id, found],
    grows: false,
    queries: { targets: domainsOf(db, scope, id) },
    plan({ rows }, _caller, now) {
      const [target] = rows.targets
      // Removed or verified again in the meantime: the result of the lookup is outdated.
      if (target?.challenge !== looked.challenge || target.verifiedAt === null) {
        return ok(unchanged(null))
      }
      const change = decideRecheck(context, target, found, now)
      if (change === null) return ok(unchanged(null))
      return ok({
        value: null,
        statements: [
          guardLive(context, organizationId),
          guardDomain(context, target),
          change.write,
        ],
        events: [change.event],
      })
    },
  })
}
