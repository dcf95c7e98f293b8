import { within } from '../../base/async.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Provisioned, ScimContext } from './scim.ts'

/** Returns the host's user for a person. An error of the host, or another answer, is `hook_failed`. */
export async function provisioned(
  context: ScimContext,
  person: Provisioned
): Promise<Result<string, 'hook_failed' | 'address_not_allowed'>> {
  const answered = await answerOf(context, person, context.scim.provision, isUserId)
  if (!answered.ok) return answered
  return answered.value === null ? refused({ code: 'address_not_allowed' }) : ok(answered.value)
}

/** Whether the host accepts an address outside of the verified domains. */
export function allowedByHost(
  context: ScimContext,
  person: Provisioned
): Promise<Result<boolean, 'hook_failed'>> {
  const isBoolean = (answer: unknown): answer is boolean => typeof answer === 'boolean'
  return answerOf(context, person, context.scim.allow, isBoolean)
}

function isUserId(answer: unknown): answer is string | null {
  return answer === null || (typeof answer === 'string' && answer !== '')
}

async function answerOf<T>(
  { report, hookDeadlineSeconds }: ScimContext,
  person: Provisioned,
  ask: (person: Provisioned) => unknown,
  isAnswer: (answer: unknown) => answer is T
): Promise<Result<T, 'hook_failed'>> {
  try {
    const answer: unknown = await within(hookDeadlineSeconds, (async () => ask(person))())
    if (isAnswer(answer)) return ok(answer)
    throw new TypeError('scim: provision returns a user id or null, and allow a boolean.')
  } catch (error) {
    const { organizationId } = person
    report({ event: 'scim_provision_failed', organizationId, error })
    return refused({ code: 'hook_failed' })
  }
}
