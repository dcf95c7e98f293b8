/**
 * Calls the host's hooks. An error in a hook, or an invalid answer, is a refusal.
 *
 * @module
 */
import * as v from 'valibot'
import type { Statement } from '../../database/database.ts'
import { ok, refused, type HookRefusal, type Result } from '../../base/result.ts'
import { within } from '../../base/async.ts'
import type {
  HookAnswer,
  HookContext,
  LifecycleHooks,
  OrganizationDraft,
  Question,
} from '../model/hooks.ts'
import { inHook } from '../model/plan.ts'

const Refused = v.object({
  ok: v.literal(false),
  reason: v.pipe(v.string(), v.minLength(1)),
  detail: v.optional(v.string()),
})
const Allowed = v.object({
  ok: v.literal(true),
  draft: v.optional(v.object({ name: v.unknown(), slug: v.optional(v.unknown()) })),
})
const Answer = v.union([Allowed, Refused])
const Statements = v.union([
  v.object({ ok: v.literal(true), statements: v.array(v.custom<Statement>(isStatement)) }),
  Refused,
])

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

/**
 * Lets the host add its statements to those of a step in a user's life, for one batch. Without the hook
 * the statements stay unchanged.
 *
 * Refusals: `hook_refused`, `hook_failed`.
 *
 * @example
 * ```ts
 * const registered = await composeLifecycle(seatgate, 'onRegister', [insertUser], { userId })
 * if (registered.ok) await db.batch(registered.value)
 * ```
 */
export async function composeLifecycle(
  context: HookContext,
  hook: keyof LifecycleHooks,
  statements: readonly Statement[],
  facts: { readonly userId: string }
): Promise<Result<readonly Statement[], HookRefusal>> {
  const asked = context.lifecycle[hook]
  if (asked == null) return ok(statements)
  const answer = await answerOf(context, hook, Statements, () => asked(statements, facts))
  if (!answer.ok) return answer
  if (!answer.value.ok) return refused(refusalOf(answer.value))
  const composed = answer.value.statements
  if (statements.every((statement) => composed.includes(statement))) return ok(composed)
  const error = new TypeError(`${hook} did not return every statement that it received.`)
  context.report({ event: 'hook_failed', error })
  return refused({ code: 'hook_failed' })
}

async function answerOf<S extends v.GenericSchema>(
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

function refusalOf({ reason, detail }: v.InferOutput<typeof Refused>) {
  return { code: 'hook_refused', reason, ...(detail !== undefined && { detail }) } as const
}

// A Drizzle statement is a thenable: check it without awaiting it, which would run it.
function isStatement(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_prepare' in value
}
