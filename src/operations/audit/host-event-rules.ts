import type { EventRules } from '../../engine/audit/event-rules.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import * as v from 'valibot'
import { LineOfText, atMost, errorsOf, shortText } from '../../base/input.ts'
import { canonicalJson, isWellFormed } from '../../proof/encoding.ts'
import { invalid, ok, refused, type Result } from '../../base/result.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import type { AuditActor } from '../../base/runtime.ts'

/** An event of the host, such as `billing.plan_changed`. */
export interface HostEvent {
  /** Lower case, at least two words joined by dots, without a prefix of the library. */
  readonly action: string
  readonly target?: { readonly type: string; readonly id: string }
  /** Plain JSON, without secrets. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Default success. */
  readonly outcome?: 'success' | 'failure' | 'error'
  /** The actor, if it is not the scope's caller. */
  readonly actor?: AuditActor
  /** Identifies an act in its organization: recorded again, it is the same event. */
  readonly idempotencyKey?: string
  /** The event that caused this one. */
  readonly causeEventId?: string
}

/** The context of recording a host event. */
export interface HostEventContext extends ChangeContext {
  readonly eventRules: EventRules
}

const DEEPEST = 32

const Name = v.pipe(
  v.string('Must be a string.'),
  atMost(255),
  v.regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/, 'Must be words in lower case, joined by dots.')
)
const Id = shortText()
// Valibot's own message would quote the received value.
const strictly = <E extends v.ObjectEntries>(entries: E) =>
  v.strictObject(entries, (issue) =>
    issue.expected === 'never' ? 'Unknown field.' : 'Must be an object.'
  )
const Event = strictly({
  action: Name,
  target: v.optional(strictly({ type: Id, id: Id })),
  metadata: v.optional(v.unknown()),
  outcome: v.optional(
    v.picklist(['success', 'failure', 'error'], 'Must be "success", "failure" or "error".')
  ),
  actor: v.optional(v.unknown()),
  idempotencyKey: v.optional(Id),
  causeEventId: v.optional(Id),
})

const Actor = v.variant('type', [
  v.strictObject({
    type: v.picklist(['user', 'operator', 'service_account', 'webhook', 'job']),
    id: v.pipe(v.string(), v.minLength(1)),
  }),
  v.strictObject({ type: v.picklist(['system', 'anonymous']), id: v.null() }),
])

/**
 * Reads an event of the host. Errors name the field, never the value.
 *
 * @throws {TypeError} if the type of the actor is unknown, which is an error of the program, not of the
 *   data.
 */
export function draftOf(
  rules: EventRules,
  organizationId: string,
  input: unknown
): Result<EventDraft> {
  const parsed = v.safeParse(Event, input)
  if (!parsed.success) {
    return refused(invalid(errorsOf(parsed.issues, 'event')))
  }
  const { actor, metadata = {}, target = null, ...event } = parsed.output
  if (actor !== undefined && !v.is(Actor, actor)) {
    throw new TypeError('An audit event needs an actor of a known type, with an id.')
  }
  const named = checkTexts({ 'actor.id': actor?.id }, Id)
  if (!named.ok) return named
  const read = readMetadata(rules, metadata)
  if (!read.ok) return read
  const given = Object.entries(event).filter(([, value]) => value !== undefined)
  return ok({
    ...(Object.fromEntries(given) as Pick<EventDraft, 'action'>),
    organizationId,
    target,
    metadata: read.value,
    ...(actor !== undefined && { actor }),
  })
}

/** Checks texts that belong to an event, by their fields; null and undefined are skipped. */
export function checkTexts(
  texts: Readonly<Record<string, string | null | undefined>>,
  schema: v.GenericSchema<string> = LineOfText
): Result<undefined> {
  const errors = Object.entries(texts).flatMap(([field, text]) => {
    const parsed = v.safeParse(v.nullish(schema), text)
    return parsed.success ? [] : [[field, parsed.issues.map(({ message }) => message)] as const]
  })
  return errors.length > 0 ? refused(invalid(Object.fromEntries(errors))) : ok(undefined)
}

function readMetadata(
  { metadataBytes }: EventRules,
  metadata: unknown
): Result<Record<string, unknown>> {
  const wrong = (message: string) => refused(invalid({ metadata: [message] }))
  let plainData: unknown
  try {
    // As it will be read: values that JSON cannot express are gone, and each toJSON is applied.
    plainData = JSON.parse(JSON.stringify(metadata) ?? 'null')
  } catch {
    return wrong('Must be plain JSON.')
  }
  if (typeof plainData !== 'object' || plainData === null || Array.isArray(plainData)) {
    return wrong('Must be an object.')
  }
  if (depthOf(plainData) > DEEPEST) return wrong(`Must be at most ${DEEPEST} levels deep.`)
  if (!isAllWellFormed(plainData)) return wrong('Must be well-formed Unicode.')
  const forbidden = forbiddenKey(plainData)
  if (forbidden !== null) return refused(invalid({ [`metadata.${forbidden}`]: ['Is forbidden.'] }))
  const bytes = new TextEncoder().encode(canonicalJson(plainData)).length
  if (bytes > metadataBytes) return wrong(`Must be at most ${metadataBytes} bytes as JSON.`)
  return ok(plainData as Record<string, unknown>)
}

function isAllWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return isWellFormed(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(
    ([key, member]) => isWellFormed(key) && isAllWellFormed(member)
  )
}

function depthOf(value: unknown, most = DEEPEST + 1): number {
  if (typeof value !== 'object' || value === null || most === 0) return 0
  return 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member, most - 1)))
}

// Compared without case and separators, in which spellings differ.
const FORBIDDEN: ReadonlySet<string> = new Set(
  (
    'password passwordhash passwordconfirmation totpcode totpsecret backupcode sessiontoken ' +
    'bearertoken apikey token accesstoken refreshtoken oauthsecret clientsecret secret ' +
    'hashedtoken rawtoken tokenhash'
  ).split(' ')
)

/**
 * Returns the path of the first key of a JSON value that names a secret, at any depth and in any spelling
 * (`apiKey`, `api-key`, `API_KEY`); otherwise null. Values are not checked and never named.
 *
 * @example
 * ```ts
 * forbiddenKey({ login: [{ accessToken: 'x' }] }) // 'login.0.accessToken'
 * ```
 */
export function forbiddenKey(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value) && FORBIDDEN.has(plain(key))) return key
    const below = forbiddenKey(member)
    if (below !== null) return `${key}.${below}`
  }
  return null
}

function plain(key: string): string {
  return key
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}
