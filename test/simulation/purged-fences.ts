import { guardsIn } from '../kit/guards.ts'
import type { BatchListener } from './database.ts'
import type { Registry } from './people.ts'

const DAY = 24 * 60 * 60_000

/** A write that was kept out because fences up to the time of its grant have been purged. */
interface KeptOut {
  readonly organizationId: string
  readonly grantedAt: number
}

/** The writes of a batch that the purge of fences kept out. What kept out others is not of interest here. */
export function keptOutByPurge(
  registry: Registry,
  { statements, error }: Parameters<BatchListener>[0]
): readonly KeptOut[] {
  if (!error?.message.includes('guard:ledger_superseded')) return []
  const guards = statements.flatMap(({ sql, params }) => guardsIn(sql, params))
  return guards.flatMap(({ query, params }) => {
    if (!query.includes('fenced_through')) return []
    const [, grantedAt, organizationId, epoch] = params
    const inForce = registry.inForce(String(organizationId))
    if (inForce === null || inForce.epoch !== epoch) return []
    if (Number(grantedAt) > inForce.fencedThrough) return []
    return [{ organizationId: String(organizationId), grantedAt: Number(grantedAt) }]
  })
}

/** What is wrong with that: a write that is under way for less than a day has its fence. */
export function keptOutTooSoon({ grantedAt }: KeptOut, now: number): readonly string[] {
  return grantedAt > now - DAY
    ? [`a write was kept out by the purge of fences ${now - grantedAt} ms after its grant`]
    : []
}
