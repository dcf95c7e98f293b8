import { partOf } from '../../engine/changes/part.ts'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { rateLimits } from '../../database/schema/changes-tables.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { Sealing } from '../../engine/changes/idempotency.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor, type Access } from '../../engine/access/authorize.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Refusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope, Principal } from '../../engine/access/principal.ts'
import type { UserContext } from '../../database/database.ts'
import { isUnfinished, type InvitationWithToken } from '../../engine/model/invitation.ts'
import {
  invitationInput,
  planInvitation,
  warnOfLongTtl,
  writeInvitations,
  type CreateInvitationInput,
  type PlannedInvitation,
} from './plan-invitation.ts'
import { membersWithAddresses } from '../../engine/model/invitation-lookup.ts'
import { drawToken, tokenSealing, type TokenSeed } from './token.ts'
import { bulkRatesOf, countMore, countedSoFar, reached } from '../../engine/model/rate-limits.ts'
import type { InvitationContext, MailContext } from './invitation-config.ts'
import { mayInvite, type HasRoles, isConfigured, unknownRole } from '../../engine/access/roles.ts'

/** The outcome of each row, in the order of the rows. */
export type InvitationOutcomes = readonly Result<InvitationWithToken>[]

/** How many rows one call accepts. */
export const MOST_AT_ONCE = 100
const NAME = 'organization.invitation.create_many'

const Rows = v.pipe(
  v.array(v.unknown(), 'Must be a list.'),
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(MOST_AT_ONCE, `Must be at most ${MOST_AT_ONCE}.`)
)
const Input = v.object({ invitations: Rows }, 'Must be an object.')

/** The input of {@link createInvitations}: 1 to 100 invitations. */
export interface CreateInvitationsInput<Role extends string = string> {
  readonly invitations: readonly CreateInvitationInput<Role>[]
}

/** Why {@link createInvitations} refuses. */
export type CreateInvitationsRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'stored_result_unreadable'
  | 'seats_unavailable'

/**
 * Invites up to 100 addresses at once `{ invitations: [{ email, role }, …] }`, in one round of calls.
 * Each row has its own outcome, in the order of the rows; the first rows get seats while there are any. A
 * repeated address gets the outcome of its first row.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `stored_result_unreadable`, `seats_unavailable`.
 *
 * A row is refused as by `createInvitation`.
 *
 * With an `operationId` a repeated call returns the first result, tokens included; a call that invited no
 * address is not stored.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 *
 * @example
 * ```ts
 * const invited = await createInvitations(seatgate, scope, { invitations: rows })
 * if (invited.ok) for (const row of invited.value) console.log(row.ok ? row.value.email : row.error.code)
 * ```
 */
export async function createInvitations<Role extends string = string>(
  context: InvitationContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: CreateInvitationsInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<InvitationOutcomes, CreateInvitationsRefusal>> {
  partOf(context, 'invitations')
  warnOfLongTtl(context)
  const drawn = await drawRows(context, input)
  const rows = drawn.ok ? drawn.value : []
  const emails = rows.flatMap((row) => (row.ok ? [row.value.email] : []))
  return perform(
    context,
    scope,
    {
      name: NAME,
      input,
      grows: true,
      refusals: ['seats_unavailable'],
      sealing: listSealing(context, rows),
      queries: queriesFor(context, scope, emails),
      plan(found, caller, now) {
        const access = authorizeFor(context.roles, found, 'members:invite')
        if (!access.ok) return access
        if (!drawn.ok) return drawn
        const { organization } = access.value
        const facts = {
          caller,
          access: access.value,
          organizationId: organization.id,
          now,
          ...found.rows,
        }
        const decisions = decideRows(context, rows, facts)
        const candidates = candidatesOf(decisions)
        return ok({
          rows: candidates.map(({ planned }) => planned),
          decide(refusals) {
            const without = new Map(
              candidates.map((candidate, index) => [candidate, refusals[index] ?? null])
            )
            const value = outcomesOf(decisions, without)
            const invited = candidates.filter((candidate) => without.get(candidate) === null)
            if (invited.length === 0) return unchanged(value)
            const plans = invited.map(({ planned }) => planned)
            const rates = bulkRatesOf(context.invitations.limits, organization.id)
            const writes = writeInvitations(context, plans, caller, now)
            return {
              ...writes,
              value,
              statements: [
                guardAccess(context, access.value),
                ...writes.statements,
                ...countMore(context, rates, invited.length, now),
              ],
              jobs: plans.flatMap(({ jobs }) => jobs),
            }
          },
        })
      },
    },
    options
  )
}

const UNREADABLE = refused({ code: 'stored_result_unreadable' })

/** Returns how the result of a list is stored: each token as that of a single invitation. */
function listSealing(
  context: Pick<InvitationContext, 'invitations'>,
  rows: readonly Result<DrawnRow>[]
): Sealing<InvitationOutcomes, 'stored_result_unreadable'> {
  const drawn = rows.flatMap((row) => (row.ok ? [row.value] : []))
  const secrecies = new Map(drawn.map(({ id, seed }) => [id, tokenSealing(context, seed)]))
  // Reading a stored token does not need the seed of this attempt, so any of them can read it.
  const [reading] = secrecies.values()
  const sealOne = (outcome: InvitationOutcomes[number]) =>
    outcome.ok ? ok(secrecies.get(outcome.value.id)?.seal(outcome.value)) : outcome
  const openOne = async (outcome: Result<unknown>) => {
    if (!outcome.ok) return ok(outcome)
    const opened = await reading?.open(outcome.value)
    return opened?.ok ? ok(opened) : UNREADABLE
  }
  return {
    seal: (outcomes) => outcomes.map(sealOne),
    async open(stored) {
      const opened = await Promise.all((stored as readonly Result<unknown>[]).map(openOne))
      const read = opened.flatMap((outcome) => (outcome.ok ? [outcome.value] : []))
      return read.length === opened.length ? ok(read) : UNREADABLE
    },
  }
}

function queriesFor(context: UserContext, scope: OrganizationScope, emails: readonly string[]) {
  const { db } = context
  const list = sql`select value from json_each(${JSON.stringify(emails)})`
  const organizationId = organizationIdOf(scope.organization)
  return {
    existing: membersWithAddresses(context, scope, list),
    open: rowsWhere(
      db,
      invitations,
      sql`${invitations.organizationId} = ${organizationId}
          and ${invitations.email} in (${list}) and ${isUnfinished()}`
    ),
    counted: countedSoFar(db, scope.caller, organizationId),
  }
}

async function drawRows(
  context: Pick<InvitationContext, 'newId' | 'roles' | 'newSecret' | 'invitations'>,
  input: unknown
): Promise<Result<readonly Result<DrawnRow, InputRefusal>[], InputRefusal>> {
  const parsed = parseInput(Input, input)
  if (!parsed.ok) return parsed
  const rows = parsed.value.invitations.map(
    async (row): Promise<Result<DrawnRow, InputRefusal>> => {
      const drawn = { id: context.newId(), seed: await drawToken(context) }
      const read = parseInput(invitationInput(context.roles), row)
      return read.ok ? ok({ ...read.value, ...drawn }) : read
    }
  )
  return ok(await Promise.all(rows))
}

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
  readonly access: Access
  readonly organizationId: string
  readonly now: Date
  /** The addresses in the list that are members'. */
  readonly existing: readonly { readonly email: string }[]
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
function decideRows(
  context: MailContext & Pick<InvitationContext, 'invitations' | 'roles'>,
  rows: readonly Result<DrawnRow>[],
  facts: RowFacts
): readonly RowDecision[] {
  const decided = new Map<string, RowDecision>()
  let candidates = 0
  return rows.map((row): RowDecision => {
    if (!row.ok) return { kind: 'refused', refusal: row.error }
    const { email } = row.value
    const decision = decided.get(email) ?? decideRow(context, row.value, facts, candidates)
    if (decision.kind === 'invite' && !decided.has(email)) candidates += 1
    decided.set(email, decision)
    return decision
  })
}

/** Returns the rows that are invited if there is a seat, each once. */
function candidatesOf(decisions: readonly RowDecision[]): readonly Candidate[] {
  return [...new Set(decisions)].filter((decision) => decision.kind === 'invite')
}

/** Returns the outcome of each row, given the candidates that a hook refused or that got no seat. */
function outcomesOf(
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
  context: MailContext & Pick<InvitationContext, 'invitations' | 'roles'>,
  { email, role, locale = null, id, seed }: DrawnRow,
  facts: RowFacts,
  candidates: number
): RowDecision {
  const { invitations } = context
  const { caller, access, organizationId, now, existing, open, counted } = facts
  if (!isConfigured(access.roles, role)) {
    return { kind: 'refused', refusal: unknownRole(access.roles).error }
  }
  if (!mayInvite(access.roles, access, role)) return refuseRow('insufficient_role')
  const full = reached(bulkRatesOf(invitations.limits, organizationId), counted, now, candidates)
  if (full !== null) return { kind: 'refused', refusal: full }
  if (existing.some((member) => member.email === email)) return refuseRow('already_member')
  const earlier = open.find((invitation) => invitation.email === email) ?? null
  const expiresAt = new Date(now.getTime() + invitations.ttlSeconds * 1000)
  const draft = { id, seed, organizationId, email, role, locale, expiresAt, earlier }
  return { kind: 'invite', email, planned: planInvitation(context, draft, caller, now) }
}

function refuseRow(
  code: 'insufficient_role' | 'already_member'
): Extract<RowDecision, { kind: 'refused' }> {
  return { kind: 'refused', refusal: { code } }
}
