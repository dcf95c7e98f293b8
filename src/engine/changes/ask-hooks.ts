/**
 * Calls the host's hooks. An error in a hook, or an invalid answer, is a refusal.
 *
 * @module
 */
import * as v from 'valibot'
import { ok, refused, type HookRefusal, type Result } from '../../base/result.ts'
import { within } from '../../base/async.ts'
import { atLeast } from '../../base/input.ts'
import type { HookAnswer, HookContext, OrganizationDraft, Question } from '../model/hooks.ts'
import { inHook } from '../model/plan.ts'

/** The answer of a hook that refuses. */
export const Refused = v.object({
  ok: v.literal(false),
  reason: v.pipe(v.string(), atLeast(1)),
  detail: v.optional(v.string()),
})
const Allowed = v.object({
  ok: v.literal(true),
  draft: v.optional(v.object({ name: v.unknown(), slug: v.optional(v.unknown()) })),
})
const Answer = v.union([Allowed, Refused])

/** Calls a `before…` hook. An unset hook allows. The answer may carry a changed draft. */
export async function ask(
  context: HookContext,
  { hook, state }: Question
): Promise<Result<{ readonly draft: OrganizationDraft | null }, HookRefusal>> {
  const asked = context.hooks[hook] as ((state: unknown) => HookAnswer) | null | undefined
  if (asked == null) return ok({ draft: null })
  const answer = await answerOf(context, hook, Answer, () => asked(state))
  if (!answer.ok) return answer
  return answer.value.ok
    ? ok({ draft: answer.value.draft ?? null })
    : refused(refusalOf(answer.value))
}

/** Calls several `before…` hooks at once. Of several refusals the first in order is returned. */
export async function askEach(
  context: HookContext,
  questions: readonly Question[]
): Promise<Result<null, HookRefusal>> {
  const answers = await Promise.all(questions.map((question) => ask(context, question)))
  return answers.find((answer) => !answer.ok) ?? ok(null)
}

/** Calls a hook within its deadline, and checks its answer. */
export async function answerOf<S extends v.GenericSchema>(
  context: HookContext,
  hook: string,
  schema: S,
  asked: () => unknown
): Promise<Result<v.InferOutput<S>, HookRefusal>> {
  try {
    const answered = inHook(context, hook, asked)
    const answer = v.safeParse(schema, await within(context.hookDeadlineSeconds, answered))
    if (answer.success) return ok(answer.output)
    throw new TypeError(`${hook} returned an invalid value.`)
  } catch (error) {
    context.report({ event: 'hook_failed', error })
    return refused({ code: 'hook_failed' })
  }
}

/** Returns the refusal of a hook that refuses. */
export function refusalOf({ reason, detail }: v.InferOutput<typeof Refused>) {
  return { code: 'hook_refused', reason, ...(detail !== undefined && { detail }) } as const
}
