import { eq, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { within } from '../../base/async.ts'
import {
  atLeast,
  bothOf,
  jsonNumber,
  parseInput,
  shortText,
  visibleText,
} from '../../base/input.ts'
import {
  PROOF_REFUSALS,
  invalid,
  ok,
  refused,
  type InputRefusal,
  type ProofRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import {
  impersonations,
  type ImpersonationRow,
} from '../../database/schema/impersonation-tables.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  isInPerson,
  isOperator,
  isSystem,
  userIdOf,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import {
  proving,
  readProof,
  withoutProof,
  type Proof,
  type ProofInput,
} from '../../engine/access/step-up.ts'
import { impersonationEvent } from '../../engine/audit/impersonation-actions.ts'
import type { Operation } from '../../engine/changes/operation-definition.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { ImpersonationContext } from './impersonation.ts'
import { expiredOf, impersonationView, runningOf, type ImpersonationWithToken } from './running.ts'
import { hashOf, newToken } from './token.ts'

/** The input of {@link startImpersonation}. */
export interface StartImpersonationInput extends ProofInput {
  /** An active member of the organization, who is no operator. */
  readonly userId: string
  /** Why, for the organization's audit trail, 10 to 500 characters. */
  readonly reason: string
  /** After how many minutes it ends, 1 to `mostMinutes`. */
  readonly minutes: number
}

/** Why {@link startImpersonation} refuses. */
export type StartImpersonationRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | InputRefusal
  | ProofRefusal
  | StoreRefusal
  | 'not_a_member'
  | 'too_many'

/** How many an operator has running at once, and how many an organization has. */
const MOST_OF_OPERATOR = 10
const MOST_IN_ORGANIZATION = 50
const MINUTE_MS = 60_000

/**
 * Starts an impersonation `{ userId, reason, minutes, password | stepUpProof }`: the operator acts as a
 * member of this organization, and of no other one. The operator proves their own identity. The token is
 * returned once and stored as a hash. The start is recorded in the trail of the organization, with its
 * reason.
 *
 * Refusals: `unauthenticated`, `organization_not_found` (also unless the caller is an operator in person),
 * `InputRefusal` (on `userId`, if the user is an operator), `ProofRefusal` (`step_up_required` for the host
 * itself), `StoreRefusal`, `not_a_member`, `too_many` (ten of the operator, or fifty of the organization,
 * are running).
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`.
 *
 * @example
 * ```ts
 * const started = await startImpersonation(seatgate, scope, {
 *   userId,
 *   reason: 'Ticket 4711: the import fails',
 *   minutes: 15,
 *   stepUpProof,
 * })
 * ```
 */
export async function startImpersonation(
  context: ImpersonationContext,
  scope: OrganizationScope,
  input: StartImpersonationInput,
  options: OperationOptions = {}
): Promise<Result<ImpersonationWithToken, StartImpersonationRefusal>> {
  const parsed = bothOf(
    parseInput(inputOf(context.impersonation.mostMinutes), input),
    readProof(context, scope.caller, input)
  )
  const operation = start(context, scope, input, parsed)
  return perform(
    context,
    scope,
    {
      ...operation,
      // Unless the caller is an operator, no further row is read and the host is not called.
      target: undefined,
      queries: { own: null, there: null },
      async revise(caller) {
        const allowed = await mayStart(context, caller, parsed)
        return allowed.ok ? ok(operation) : allowed
      },
    },
    options
  )
}

type Parsed = Result<v.InferOutput<ReturnType<typeof inputOf>> & Proof, InputRefusal>
type Code =
  | Exclude<StartImpersonationRefusal, ProofRefusal | StoreRefusal>
  | 'step_up_required'
  | 'unavailable'

function inputOf(mostMinutes: number) {
  return v.object(
    {
      userId: shortText(),
      reason: v.pipe(visibleText(500), atLeast(10)),
      minutes: jsonNumber({ min: 1, max: mostMinutes }),
    },
    'Must be an object.'
  )
}

async function mayStart(
  context: ImpersonationContext,
  caller: Principal,
  parsed: Parsed
): Promise<Result<null, Code>> {
  if (isSystem(caller)) return refused({ code: 'step_up_required' })
  if (!isOperator(caller)) return refused({ code: 'organization_not_found' })
  if (!parsed.ok) return parsed
  const { userId } = parsed.value
  try {
    const asked = Promise.resolve(context.impersonation.isOperator(userId))
    const answer: unknown = await within(context.hookDeadlineSeconds, asked)
    const isAllowed = answer === false && userId !== userIdOf(caller)
    return isAllowed ? ok(null) : refused(invalid({ userId: ['Must not be an operator.'] }))
  } catch (error) {
    context.report({ event: 'operator_check_failed', error })
    return refused({ code: 'unavailable' })
  }
}

function factsFor({ db, now }: ImpersonationContext, scope: OrganizationScope) {
  const { organizationId, operatorId } = impersonations
  const there = organizationIdOf(scope.organization)
  const isOwn = sql`${operatorId} = ${userIdOf(scope.caller)}`
  return {
    own: runningOf(db, now(), isOwn),
    there: runningOf(db, now(), eq(organizationId, there)),
  }
}

type Facts = { [K in keyof ReturnType<typeof factsFor>]: ReturnType<typeof factsFor>[K] | null }

function start(
  context: ImpersonationContext,
  scope: OrganizationScope,
  input: unknown,
  parsed: Parsed
): Operation<Facts, ImpersonationWithToken, Code, ProofRefusal> {
  const { db, newId, newSecret } = context
  return {
    name: 'organization.impersonation.start',
    input: withoutProof(input),
    grows: false,
    refusals: PROOF_REFUSALS,
    // The token is shown once: the stored result is without it.
    sealing: {
      seal: (value) => ({ ...value, token: null }),
      open: async (stored) => ok(stored as ImpersonationWithToken),
    },
    target: { userId: parsed.ok ? parsed.value.userId : '' },
    queries: factsFor(context, scope),
    plan({ organization, target, rows }, caller, now) {
      if (!isInPerson(caller) || organization === null) {
        return refused({ code: 'organization_not_found' })
      }
      if (!parsed.ok) return parsed
      if (target?.status !== 'active') return refused({ code: 'not_a_member' })
      const { own, there } = rows
      if (own.length >= MOST_OF_OPERATOR || there.length >= MOST_IN_ORGANIZATION) {
        return refused({ code: 'too_many' })
      }
      const { reason, minutes } = parsed.value
      const token = newToken(newSecret())
      const row = {
        id: newId(),
        organizationId: organization.id,
        userId: target.userId,
        operatorId: caller.userId,
        tokenHash: hashOf(token),
        reason,
        expiresAt: new Date(now.getTime() + minutes * MINUTE_MS),
        createdAt: now,
      }
      const begun = impersonationEvent(row, 'organization.impersonation.started', {
        reason,
        expires_at: row.expiresAt.toISOString(),
      })
      return ok({
        value: { ...impersonationView(row), token },
        proof: proving(parsed.value),
        statements: [
          guardLive(context, row.organizationId),
          guard(db, 'stale', mayRun(row, now)),
          expiredOf(context, row, now),
          db.insert(impersonations).values(row),
        ],
        events: [{ ...begun, id: row.id }],
      })
    },
  }
}

// Guards the reads of the plan: the user is an active member, and the limits are not reached.
function mayRun({ organizationId, userId, operatorId }: ImpersonationRow, now: Date): SQL {
  const running = sql`select count(*) from seatgate_impersonations
    where expires_at > ${now.getTime()} and`
  return sql`exists (select 1 from seatgate_memberships
      where organization_id = ${organizationId} and user_id = ${userId} and status = 'active')
    and (${running} operator_id = ${operatorId}) < ${MOST_OF_OPERATOR}
    and (${running} organization_id = ${organizationId}) < ${MOST_IN_ORGANIZATION}`
}
