import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import * as v from 'valibot'
import type { Refusal } from '../base/result.ts'

/**
 * The outcome of an act, for the page that the browser shows after it: a form is answered with a
 * redirect, so that a reload does not repeat it.
 */
const Outcome = v.variant('kind', [
  v.object({
    kind: v.literal('done'),
    key: v.string(),
    values: v.record(v.string(), v.union([v.string(), v.number()])),
  }),
  v.object({ kind: v.literal('refused'), refusal: v.looseObject({ code: v.string() }) }),
  v.object({ kind: v.literal('wrong'), key: v.string() }),
])

export type Outcome = v.InferOutput<typeof Outcome>

const COOKIE = 'seatgate_console_outcome'
const PARAMETER = 'outcome'
const SECONDS = 60
// A browser drops a larger cookie.
const LONGEST = 3000

/**
 * Keeps an outcome for the page at this path, and returns the path with the outcome's id. Without the id
 * another tab of this browser would show it.
 */
export function keepOutcome(c: Context, base: string, outcome: Outcome, to: string): string {
  const id = crypto.randomUUID().slice(0, 8)
  setCookie(c, `${COOKIE}_${id}`, written(outcome), { ...attributesIn(c, base), maxAge: SECONDS })
  return `${to}${to.includes('?') ? '&' : '?'}${PARAMETER}=${id}`
}

/** Reads the outcome of the act before this page, and removes it. */
export function takeOutcome(c: Context, base: string): Outcome | null {
  const id = c.req.query(PARAMETER) ?? ''
  if (!/^[\da-f]{8}$/.test(id)) return null
  const name = `${COOKIE}_${id}`
  const value = getCookie(c, name)
  if (value === undefined) return null
  deleteCookie(c, name, attributesIn(c, base))
  try {
    const parsed = v.safeParse(Outcome, JSON.parse(value))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

function written(outcome: Outcome): string {
  const text = JSON.stringify(outcome)
  if (encodeURIComponent(text).length <= LONGEST || outcome.kind !== 'refused') return text
  const { code } = outcome.refusal
  return JSON.stringify({ kind: 'refused', refusal: { code } })
}

export function attributesIn(c: Context, base: string) {
  return {
    path: base === '' ? '/' : base,
    httpOnly: true,
    sameSite: 'Lax',
    secure: new URL(c.req.url).protocol === 'https:',
  } as const
}

export function refusalOf(outcome: Outcome): Refusal | null {
  return outcome.kind === 'refused' ? (outcome.refusal as unknown as Refusal) : null
}
