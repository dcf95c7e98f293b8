/**
 * Decides on each row of a list from what was read, before seats are claimed.
 *
 * @module
 */
import type { InvitationRow, rateLimits } from '../../database/schema.ts'
import type { Refusal } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Principal } from '../../engine/access/principal.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import type { TokenSeed } from './new-token.ts'
import { mayInvite } from '../../engine/access/roles.ts'
import { planInvitation, type PlannedInvitation } from './plan-invitation.ts'
import { bulkRatesOf, reached } from '../../engine/model/rate-limits.ts'
import type { MailContext } from './invitation-config.ts'
import type { InvitationContext } from './invitation-config.ts'

/** A parsed row, with the id and the token that its invitation will have. */
export interface DrawnRow {
  readonly email: string
  readonly role: string
  readonly locale?: string | null | undefined
  readonly id: string
  readonly seed: TokenSeed
}

/** The facts that a list is decided on. */
export interface RowFacts {
  readonly caller: Principal
  readonly role: string
  readonly organizationId: string
  readonly now: Date
  /** The addresses in the list that are members'. */
  readonly present: readonly { readonly email: string }[]
  /** Their open invitations. */
  readonly open: readonly InvitationRow[]
  readonly counted: readonly (typeof rateLimits.$inferSelect)[]
}

/** A decision: the row is refused, or it is invited if there is a seat. */
export type RowDecision = Candidate | { readonly kind: 'refused'; readonly refusal: Refusal }

/** A row that is invited if there is a seat. */
export interface Candidate {
  readonly kind: 'invite'
  readonly email: string
  readonly planned: PlannedInvitation
}

/**
 * Decides on each row, in order. A repeated address shares the decision object of its first row. Each
 * candidate counts towards the limits of the next ones.
 */
export function decideRows(
  seatgate: MailContext & Pick<InvitationContext, 'invitations' | 'roles'>,
  rows: readonly Result<DrawnRow>[],
  facts: RowFacts
): readonly RowDecision[] {
  const decided = new Map<string, RowDecision>()
  let candidates = 0
  return rows.map((row): RowDecision => {
    if (!row.ok) return { kind: 'refused', refusal: row.error }
    const { email } = row.value
    const decision = decided.get(email) ?? decideRow(seatgate, row.value, facts, candidates)
    if (decision.kind === 'invite' && !decided.has(email)) candidates += 1
    decided.set(email, decision)
    return decision
  })
}

/** Returns the rows that are invited if there is a seat, each once. */
export function candidatesOf(decisions: readonly RowDecision[]): readonly Candidate[] {
  return [...new Set(decisions)].filter((decision) => decision.kind === 'invite')
}

/** Returns the outcome of each row, given the candidates that a hook refused or that got no seat. */
export function outcomesOf(
  decisions: readonly RowDecision[],
  refusals: ReadonlyMap<Candidate, Refusal | null>
): readonly Result<InvitationWithToken>[] {
  return decisions.map((decision) => {
    if (decision.kind === 'refused') return refused(decision.refusal)
    const refusal = refusals.get(decision)
    return refusal == null ? ok(decision.planned.value) : refused(refusal)
  })
}

function decideRow(
  seatgate: MailContext & Pick<InvitationContext, 'invitations' | 'roles'>,
  { email, role, locale = null, id, seed }: DrawnRow,
  facts: RowFacts,
  candidates: number
): RowDecision {
  const { roles, invitations } = seatgate
  const { caller, organizationId, now, present, open, counted } = facts
  if (!mayInvite(roles, facts.role, role)) return refuseRow('insufficient_role')
  const full = reached(bulkRatesOf(invitations.limits, organizationId), counted, now, candidates)
  if (full !== null) return { kind: 'refused', refusal: full }
  if (present.some((member) => member.email === email)) return refuseRow('already_member')
  const earlier = open.find((invitation) => invitation.email === email) ?? null
  const expiresAt = new Date(now.getTime() + invitations.ttlSeconds * 1000)
  const draft = { id, seed, organizationId, email, role, locale, expiresAt, earlier }
  return { kind: 'invite', email, planned: planInvitation(seatgate, draft, caller, now) }
}

function refuseRow(
  code: 'insufficient_role' | 'already_member'
): Extract<RowDecision, { kind: 'refused' }> {
  return { kind: 'refused', refusal: { code } }
}
