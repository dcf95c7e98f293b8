import { checkOptionNames } from '../../base/names.ts'
import { eq } from 'drizzle-orm'
import * as v from 'valibot'
import { organizationEvent } from '../../engine/audit/event.ts'
import type { Queries } from '../../database/batch.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Operation } from '../../engine/changes/operation-definition.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { isSystem, isUser, type OrganizationScope } from '../../engine/access/principal.ts'
import { guardField, organizationView, type Organization } from '../../engine/model/organization.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'

/** Returns whether a user has a second factor. */
export type MfaCheck = (userId: string) => boolean | Promise<boolean>

const Input = v.object({ enabled: v.boolean('Must be true or false.') }, 'Must be an object.')

/** The input of {@link setMfaPolicy}. */
export interface MfaPolicyInput {
  readonly enabled: boolean
}

/** Why {@link setMfaPolicy} refuses. */
export type SetMfaPolicyRefusal =
  | AccessRefusal
  | InputRefusal
  | 'host_conflict'
  | 'operation_in_progress'
  | 'schema_mismatch'
  | 'admin_must_enroll_first'
  | 'mfa_policy_aborted'

/**
 * Sets whether members must have a second factor `{ enabled }`. A user who enables it must have one. The
 * current policy changes no row. `requireOrganizationMfa` enforces it.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `host_conflict`, `operation_in_progress`,
 * `schema_mismatch`, `admin_must_enroll_first`, `mfa_policy_aborted` (D1 did not answer; the policy is as it was, or as it was to be).
 *
 * @throws {TypeError} if it is to be enabled and `mfaCheck` is not a function of one argument.
 *
 * @example
 * ```ts
 * await setMfaPolicy(seatgate, scope, { enabled: true }, { mfaCheck: (userId) => hasPasskey(userId) })
 * ```
 */
export async function setMfaPolicy(
  context: ChangeContext,
  scope: OrganizationScope,
  input: MfaPolicyInput,
  options: { readonly mfaCheck?: MfaCheck } = {}
): Promise<Result<Organization, SetMfaPolicyRefusal>> {
  checkOptionNames('setMfaPolicy', options, ['mfaCheck'])
  const { mfaCheck } = options
  const { report } = context
  const parsed = parseInput(Input, input)
  const enabled = parsed.ok && parsed.value.enabled
  if (enabled && (typeof mfaCheck !== 'function' || mfaCheck.length !== 1)) {
    throw new TypeError('setMfaPolicy: enabling needs mfaCheck, a function of one argument.')
  }
  const operation = policyChange(context, input, parsed)
  const changed = await perform(context, scope, {
    ...operation,
    ...(enabled &&
      mfaCheck && {
        revise: async (caller) => {
          const enrolled =
            isSystem(caller) || (isUser(caller) && (await hasMfa(context, mfaCheck, caller.userId)))
          return ok(policyChange(context, input, parsed, enrolled))
        },
      }),
  })
  if (changed.ok || changed.error.code !== 'unavailable') {
    return changed as Result<Organization, SetMfaPolicyRefusal>
  }
  report({ event: 'mfa_policy_aborted', error: ['enforce_mfa_for_members'] })
  return refused({ code: 'mfa_policy_aborted' })
}

/** Asks the host whether a user has a second factor. A failure counts as no. */
export async function hasMfa(
  { report }: Pick<Runtime, 'report'>,
  mfaCheck: MfaCheck,
  userId: string
): Promise<boolean> {
  try {
    const enrolled: unknown = await mfaCheck(userId)
    return enrolled === true
  } catch (error) {
    report({ event: 'mfa_check_failed', error })
    return false
  }
}

function policyChange(
  context: AccessContext,
  input: unknown,
  parsed: Result<{ readonly enabled: boolean }, InputRefusal>,
  enrolled = false
): Operation<
  Queries,
  Organization,
  AccessRefusal | InputRefusal | 'admin_must_enroll_first',
  never
> {
  const { db, roles } = context
  return {
    name: 'organization.mfa_policy_change',
    input,
    grows: false,
    refusals: [],
    queries: {},
    plan(found, _caller, now) {
      const access = authorizeFor(roles, found, 'organization:update')
      if (!access.ok) return access
      if (!parsed.ok) return parsed
      const { organization } = access.value
      const { enabled } = parsed.value
      const { id, enforceMfaForMembers: before } = organization
      if (enabled && !enrolled) return refused({ code: 'admin_must_enroll_first' })
      if (enabled === before) return ok(unchanged(organizationView(organization)))
      const changed = { enforceMfaForMembers: enabled, updatedAt: now }
      return ok({
        value: organizationView({ ...organization, ...changed }),
        statements: [
          guardAccess(context, access.value),
          guardField(context, organization, 'enforceMfaForMembers'),
          db.update(organizations).set(changed).where(eq(organizations.id, id)),
        ],
        events: [
          organizationEvent(id, 'organization.mfa_policy_change', {
            old_value: before,
            new_value: enabled,
          }),
        ],
      })
    },
  }
}
