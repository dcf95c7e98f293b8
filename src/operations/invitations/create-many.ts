import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { invitations } from '../../database/schema.ts'
import { parseInput } from '../../base/input.ts'
import { guardStanding } from '../../engine/access/access-guards.ts'
import type { Secrecy } from '../../engine/changes/stored-answer.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { standingWith } from '../../engine/access/authorize.ts'
import type { AccessRefusal, InputRefusal, StoreRefusal } from '../../base/refusal.ts'
import { ok, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { UserContext } from '../../database/user-table.ts'
import { candidatesOf, decideRows, outcomesOf, type DrawnRow } from './decide-rows.ts'
import { isUnfinished } from '../../engine/model/invitation-guards.ts'
import { invitationInput, warnOfLongTtl, type CreateInvitationInput } from './invitation-input.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import { membersWithAddresses } from '../../engine/model/invitation-lookup.ts'
import { drawToken, tokenSecrecy } from './new-token.ts'
import { writeInvitations } from './plan-invitation.ts'
import { bulkRatesOf, countedSoFar, countMore } from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'
import type { HasRoles } from '../../engine/access/roles.ts'

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
  | 'seats_unavailable'

/**
 * Invites up to 100 addresses at once `{ invitations: [{ email, role }, …] }`, in one round of calls.
 * Each row has its own outcome, in the order of the rows; the first rows get seats while there are any. A
 * repeated address gets the outcome of its first row.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `seats_unavailable`.
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
  seatgate: InvitationContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: CreateInvitationsInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<InvitationOutcomes, CreateInvitationsRefusal>> {
  warnOfLongTtl(seatgate)
  const drawn = await drawRows(seatgate, input)
  const rows = drawn.ok ? drawn.value : []
  const emails = rows.flatMap((row) => (row.ok ? [row.value.email] : []))
  return perform(
    seatgate,
    scope,
    {
      name: NAME,
      input,
      grows: true,
      refusals: ['seats_unavailable'],
      secrecy: listSecrecy(seatgate, rows),
      queries: queriesFor(seatgate, scope, emails),
      plan(found, caller, now) {
        const standing = standingWith(seatgate.roles, found, seatgate.roles.invitationAdmins)
        if (!standing.ok) return standing
        if (!drawn.ok) return drawn
        const { organization, role } = standing.value
        const facts = { caller, role, organizationId: organization.id, now, ...found.rows }
        const decisions = decideRows(seatgate, rows, facts)
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
            const rates = bulkRatesOf(seatgate.invitations.limits, organization.id)
            const writes = writeInvitations(seatgate, plans, caller, now)
            return {
              ...writes,
              value,
              statements: [
                guardStanding(seatgate, standing.value),
                ...writes.statements,
                ...countMore(seatgate, rates, invited.length, now),
              ],
              intents: plans.flatMap(({ intents }) => intents),
            }
          },
        })
      },
    },
    options
  )
}

/** Returns how the result of a list is stored: each token as that of a single invitation. */
function listSecrecy(
  seatgate: Pick<InvitationContext, 'invitations'>,
  rows: readonly Result<DrawnRow>[]
): Secrecy<InvitationOutcomes> {
  const drawn = rows.flatMap((row) => (row.ok ? [row.value] : []))
  const secrecies = new Map(drawn.map(({ id, seed }) => [id, tokenSecrecy(seatgate, seed)]))
  // Reading a stored token does not need the seed of this attempt, so any of them can read it.
  const [reading] = secrecies.values()
  const sealOne = (outcome: InvitationOutcomes[number]) =>
    outcome.ok ? ok(secrecies.get(outcome.value.id)?.seal(outcome.value)) : outcome
  const openOne = async (outcome: Result<unknown>) => {
    if (!outcome.ok) return outcome
    const opened = reading ? await reading.open(outcome.value) : null
    return opened && ok(opened)
  }
  return {
    seal: (outcomes) => outcomes.map(sealOne),
    async open(stored) {
      const opened = await Promise.all((stored as readonly Result<unknown>[]).map(openOne))
      return opened.every((outcome) => outcome !== null) ? opened : null
    },
  }
}

function queriesFor(seatgate: UserContext, scope: OrganizationScope, emails: readonly string[]) {
  const { db } = seatgate
  const list = sql`select value from json_each(${JSON.stringify(emails)})`
  const organizationId = organizationIdOf(scope.organization)
  return {
    present: membersWithAddresses(seatgate, scope, list),
    open: db
      .select()
      .from(invitations)
      .where(
        sql`${invitations.organizationId} = ${organizationId}
          and ${invitations.email} in (${list}) and ${isUnfinished()}`
      ),
    counted: countedSoFar(db, scope.caller, organizationId),
  }
}

async function drawRows(
  seatgate: Pick<InvitationContext, 'newId' | 'roles' | 'newSecret' | 'invitations'>,
  input: unknown
): Promise<Result<readonly Result<DrawnRow, InputRefusal>[], InputRefusal>> {
  const parsed = parseInput(Input, input)
  if (!parsed.ok) return parsed
  const rows = parsed.value.invitations.map(
    async (row): Promise<Result<DrawnRow, InputRefusal>> => {
      const drawn = { id: seatgate.newId(), seed: await drawToken(seatgate) }
      const read = parseInput(invitationInput(seatgate.roles), row)
      return read.ok ? ok({ ...read.value, ...drawn }) : read
    }
  )
  return ok(await Promise.all(rows))
}
