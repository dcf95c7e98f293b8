import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { invitations } from '../database/schema.ts'
import { askEach } from '../hooks/ask.ts'
import { parseInput } from '../input.ts'
import { claimEach } from '../memberships/gate.ts'
import { guardStanding } from '../memberships/guards.ts'
import { kept, recall, type Secrecy } from '../operations/answer.ts'
import { assemble, conclude } from '../operations/batch.ts'
import { questionOf, type OperationOptions, type Question } from '../operations/perform.ts'
import {
  operationKey,
  recordedOutcomes,
  recordOutcome,
  replay,
  type Recorded,
} from '../operations/record.ts'
import { tellRefusal } from '../operations/refused-seats.ts'
import { storeRefusal } from '../operations/store-refusal.ts'
import { organizationIdOf } from '../organizations/reference.ts'
import { find, standingWith } from '../organizations/standing.ts'
import type { Refusal } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import { marksOf, type OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import {
  candidatesOf,
  decideRows,
  outcomesOf,
  type Candidate,
  type DrawnRow,
  type RowFacts,
} from './decide-rows.ts'
import { isUnfinished } from './guards.ts'
import { invitationInput, warnOfLongTtl } from './input.ts'
import type { InvitationWithToken } from './invitation.ts'
import { membersWithAddresses } from './lookup.ts'
import { drawToken, tokenSecrecy } from './new-token.ts'
import { writeInvitations } from './plan.ts'
import { bulkRatesOf, countedSoFar, countMore } from './rates.ts'

/** What became of each row, in the order of the rows. */
export type InvitationOutcomes = readonly Result<InvitationWithToken>[]

/** How many are invited at once. */
export const MOST_AT_ONCE = 100
const NAME = 'organization.invitation.create_many'
const ATTEMPTS = 5

const Rows = v.pipe(
  v.array(v.unknown(), 'Must be a list.'),
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(MOST_AT_ONCE, `Must be at most ${MOST_AT_ONCE}.`)
)
const Input = v.object({ invitations: Rows }, 'Must be an object.')

/**
 * Invites up to 100 people at once `{ invitations: [{ email, role }, …] }`, in one round of calls. Each
 * row has an outcome of its own, in the order of the rows; the first get seats, for as long as there
 * are any. A row whose address was in the list before has the outcome of that one.
 *
 * Refusals of the whole: `unauthenticated`, `organization_not_found`, `insufficient_role`,
 * `validation_error`, `host_conflict`, `operation_in_progress`, `seats_unavailable`. Refusals of a row: as of
 * `createInvitation`.
 *
 * With an `operationId` the same list is answered as the first time, tokens included; an attempt that
 * invited nobody is not stored.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 *
 * @example
 * ```ts
 * const invited = await createInvitations(seatgate, scope, { invitations: rows })
 * if (invited.ok) for (const row of invited.value) console.log(row.ok ? row.value.email : row.error.code)
 * ```
 */
export async function createInvitations(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: unknown,
  { operationId, unreadableId }: OperationOptions = {}
): Promise<Result<InvitationOutcomes>> {
  warnOfLongTtl(seatgate)
  const asked = questionOf(NAME, scope, input, operationId)
  if (!asked.ok) return asked
  const drawn = await drawRows(seatgate, input)
  const rows = drawn.ok && unreadableId ? refused(unreadableId.refusal) : drawn
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await attemptOnce(seatgate, scope, rows, asked.value)
      if (answer !== 'again') return answer
    }
    return refused({ code: 'operation_in_progress' })
  } catch (error) {
    return refused(storeRefusal(seatgate, error, { grows: true }))
  }
}

async function attemptOnce(
  seatgate: Seatgate,
  scope: OrganizationScope,
  rows: Result<readonly Result<DrawnRow>[]>,
  question: Question | null
): Promise<Result<InvitationOutcomes> | 'again'> {
  const { db } = seatgate
  const emails = (rows.ok ? rows.value : []).flatMap((row) => (row.ok ? [row.value.email] : []))
  const found = await find(db, scope, {
    ...queriesFor(seatgate, scope, emails),
    ...(question && { $earlier: recordedOutcomes(db, scope.caller, question.id) }),
  })
  const { caller } = found
  if (caller === null) return refused({ code: 'unauthenticated' })
  const key = question && (await operationKey(question.id, caller, question.asked))
  const answering = { secrecy: listSecrecy(seatgate, rows) }
  const earlier = key && replay<unknown>((found.rows as { $earlier: Recorded[] }).$earlier, key)
  if (earlier) return recall(db, key, answering, earlier)
  const standing = standingWith(seatgate.roles, found, seatgate.roles.invitationAdmins)
  if (!standing.ok) return standing
  if (!rows.ok) return rows
  const { organization, role } = standing.value
  const facts: RowFacts = {
    caller,
    role,
    organizationId: organization.id,
    now: seatgate.now(),
    ...found.rows,
  }
  const decisions = decideRows(seatgate, rows.value, facts)

  const asked = await allowedOf(seatgate, candidatesOf(decisions))
  const { invited, claimed, withoutSeat } = await seatsFor(seatgate, asked.allowed)
  const occasion = { caller, ...marksOf(scope), now: facts.now }
  for (const refusal of withoutSeat.values()) {
    await tellRefusal(seatgate, occasion, organization.id, refusal)
  }
  const outcomes = ok(outcomesOf(decisions, new Map([...asked.refusals, ...withoutSeat])))
  if (invited.length === 0) return outcomes

  const rates = bulkRatesOf(seatgate.invitations.limits, organization.id)
  const plans = invited.map(({ planned }) => planned)
  const writes = writeInvitations(seatgate, plans, caller, facts.now)
  const prepared = assemble(
    seatgate,
    occasion,
    {
      ...writes,
      value: null,
      statements: [
        guardStanding(seatgate, standing.value),
        ...writes.statements,
        ...countMore(seatgate, rates, invited.length, facts.now),
      ],
      intents: plans.flatMap(({ intents }) => intents),
    },
    claimed
  )
  const done = await conclude(seatgate, prepared, [
    ...(key ? [recordOutcome(db, key, kept(answering, outcomes), facts.now)] : []),
    ...prepared.statements,
  ])
  if (!done.committed && done.code === 'host_conflict') return refused({ code: done.code })
  // Whatever has changed meanwhile, a limit included, is seen by the next attempt.
  return done.committed ? outcomes : 'again'
}

/** Asks the hook of the host for each, all at once. */
async function allowedOf(seatgate: Seatgate, candidates: readonly Candidate[]) {
  const refusals = new Map<Candidate, Refusal>()
  await Promise.all(
    candidates.map(async (candidate) => {
      const answer = await askEach(seatgate, candidate.planned.before)
      if (!answer.ok) refusals.set(candidate, answer.error)
    })
  )
  return { allowed: candidates.filter((candidate) => !refusals.has(candidate)), refusals }
}

/** How the answer to a list is stored: each token as that of a single invitation. */
function listSecrecy(
  seatgate: Seatgate,
  rows: Result<readonly Result<DrawnRow>[]>
): Secrecy<InvitationOutcomes> {
  const drawn = (rows.ok ? rows.value : []).flatMap((row) => (row.ok ? [row.value] : []))
  const secrecies = new Map(drawn.map(({ id, seed }) => [id, tokenSecrecy(seatgate, seed)]))
  // A stored token is read without the seed of this attempt: any of them reads it.
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

/** One round of calls for all; where invitations hold no seats, none. */
async function seatsFor(seatgate: Seatgate, candidates: readonly Candidate[]) {
  const claims = candidates.flatMap(({ planned: { claim } }) => (claim === null ? [] : [claim]))
  const answers = await claimEach(seatgate, claims)
  // Every candidate asks for a seat, or none does: the answers stand in the candidates' places.
  const withoutSeat = new Map<Candidate, Refusal>()
  for (const [index, candidate] of candidates.entries()) {
    const answer = answers[index]
    if (answer && !answer.ok) withoutSeat.set(candidate, answer.error)
  }
  return {
    invited: candidates.filter((candidate) => !withoutSeat.has(candidate)),
    claimed: answers.flatMap((answer) => (answer.ok ? [answer.value] : [])),
    withoutSeat,
  }
}

function queriesFor(seatgate: Seatgate, scope: OrganizationScope, emails: readonly string[]) {
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
  seatgate: Seatgate,
  input: unknown
): Promise<Result<readonly Result<DrawnRow>[]>> {
  const parsed = parseInput(Input, input)
  if (!parsed.ok) return parsed
  const rows = parsed.value.invitations.map(async (row): Promise<Result<DrawnRow>> => {
    const drawn = { id: seatgate.newId(), seed: await drawToken(seatgate) }
    const read = parseInput(invitationInput(seatgate.roles), row)
    return read.ok ? ok({ ...read.value, ...drawn }) : read
  })
  return ok(await Promise.all(rows))
}
