import type { EventDraft } from '../audit/event.ts'
import type { Database, Statement } from '../../database/database.ts'
import type { AfterHook, AfterStates, HookContext, Question } from './hooks.ts'
import type { HookRefusal, Refusal, Result } from '../../base/result.ts'
import type { SeatReference, SeatRequest } from '../seats/provider.ts'
import type { Rights, Roles } from '../access/roles.ts'
import type { ProofCheck } from '../access/step-up.ts'
import type { limitView } from '../seats/limit.ts'
import { attributionOf, type Principal } from '../access/principal.ts'
import type { RecordedEvent } from '../audit/record-events.ts'

/**
 * The plan of an operation. It contains all ids and times: no statement needs the result of another, and
 * all of them become one batch.
 */
export interface Plan<T> {
  /** The result of the operation after the commit. Plain JSON, so that it can be stored and replayed. */
  readonly value: T
  /** Checks the proof that the caller has to provide in addition to being signed in. */
  readonly proof?: ProofCheck
  /** The hooks that may refuse it, in this order. They are called before seats are claimed. */
  readonly before?: readonly Question[]
  /** Conditions and changes, in order. */
  readonly statements: readonly Statement[]
  /** Asks the host's lifecycle hook, which adds its own to the statements. */
  readonly lifecycle?: LifecycleQuestion
  /** The claimed seats: all of them are granted, or the plan is refused. */
  readonly claims?: readonly SeatClaim[]
  /** The seats that the batch frees. */
  readonly freedSeats?: readonly SeatReference[]
  readonly events: readonly EventDraft[]
  /** The members whose role changes. */
  readonly losses?: readonly RightsLeft[]
  /** The jobs after the commit. */
  readonly jobs?: readonly Job[]
  /** The organizations whose notices may be due though no event is about their seats. */
  readonly noticesDue?: readonly string[]
}

/** Asks a lifecycle hook of the host. Returns the statements with those of the host. */
export type LifecycleQuestion = (
  context: HookContext,
  statements: readonly Statement[]
) => Promise<Result<readonly Statement[], HookRefusal>>

/** The rights that a member has after a change of their role, who may have lost some. */
export interface RightsLeft {
  readonly organizationId: string
  readonly userId: string
  readonly rights: Rights
  /** The roles of the organization. */
  readonly roles: Roles
}

/** A plan that needs no seat. */
export type SeatlessPlan<T> = Plan<T> & { readonly claims?: never }

/** A plan that needs the seat of a founder alone, which a limit never refuses. */
export type FoundingPlan<T> = Plan<T> & { readonly claims: readonly FoundingClaim[] }

/**
 * A plan of rows that are decided independently: a hook, or a lack of seats, refuses one row and leaves
 * the others. All rows are of one organization.
 */
export interface RowsPlan<T> {
  readonly rows: readonly PlannedRow[]
  /** Plans the remaining rows. `refusals` are in the places of the rows; null: granted. */
  readonly decide: (refusals: readonly (Refusal | null)[]) => Plan<T>
}

/** The hooks and the claims of a row. */
export interface PlannedRow {
  readonly before: readonly Question[]
  readonly claim: SeatClaim | null
}

/** Creates a plan that changes no row and returns a value. */
export function unchanged<T>(value: T): Plan<T> {
  return { value, statements: [], events: [] }
}

/** The kinds of a request for a seat that is not reserved yet. */
type NewSeatKind = Exclude<SeatRequest['kind'], 'reserved'>

/**
 * A claim: a seat that a plan needs, with the row that is written once it is granted. `claimSeats` alone
 * requests it and gives it its id.
 */
export interface SeatClaim<Kind extends NewSeatKind = NewSeatKind> {
  readonly organizationId: string
  /** The kind of a new seat. A seat of the right type that the row has, or an invitation, is `reserved`. */
  readonly kind: Kind
  /** The role that the row has, which decides whether it takes a seat, and of which type. */
  readonly role: string
  /** The seat that there is; null without one. One of another type is freed for a new seat. */
  readonly seatId: string | null
  /** The holder of `seatId`, as the event of its release records it. May be empty for an invitation. */
  readonly heldBy: { readonly user_id?: string; readonly invitation_id?: string }
  /** Whether the user is a member already, without a seat. */
  readonly promotes?: boolean
  /** The holder: a user id, or an invitation. `kept`: the seat that there is stays. */
  readonly holder: (seatId: string, kept: boolean) => string
  /** Until when the row keeps the seat reserved; null if it holds the seat. */
  readonly until: Date | null
  /** Writes the row with its seat; null: its role takes no seat. */
  readonly write: (seatId: string | null) => Statement
  /** The events of the seat. `counts` has the seats in use, if the provider counted them. */
  readonly events: (seat: SeatReference, counts: SeatCounts, kept: boolean) => readonly EventDraft[]
}

/** The claim of an organization's founder. */
export type FoundingClaim = SeatClaim<'founding'>

/** The seats in use with the granted one; empty if the batch itself counts them. */
export interface SeatCounts {
  readonly held?: number
  readonly reserved?: number
  readonly limit?: ReturnType<typeof limitView>
  /** The version of the entitlement that the limit is from; 0 for the default. */
  readonly limit_version?: number
}

/**
 * Work outside the database after a commit. It is written in the change's own batch and stays until it is
 * done.
 */
export interface Job {
  /** The kind, which selects the handler of the row. */
  readonly kind: string
  readonly organizationId: string
  /** Plain JSON. */
  readonly payload: object
  /**
   * Runs the job, or returns until when it has to wait. Called right after the commit, with the handle
   * that counts the statements of the invocation.
   */
  readonly run: (db: Database) => Promise<Date | null>
}

/** The handlers of each kind, which run jobs from their rows after a failure or a crash. */
export type JobHandlers = Readonly<Record<string, (payload: unknown) => Promise<Date | null>>>

type StateOf<K extends AfterHook> = Omit<AfterStates[K], 'actor' | 'eventId'>

/** Returns an event with the `after…` hook that is called after the commit. */
export function withHook<K extends AfterHook>(
  event: EventDraft,
  hook: K,
  state: StateOf<K>
): EventDraft {
  return { ...event, after: { hook, state } }
}

/** Returns the calls of configured hooks, one for each event that has one. */
export function afterCalls(
  { hooks, trace }: Pick<HookContext, 'hooks' | 'trace'>,
  caller: Principal,
  drafts: readonly EventDraft[],
  recorded: readonly RecordedEvent[]
): readonly Job[] {
  return drafts.flatMap(({ organizationId, after, actor }, index) => {
    const eventId = recorded[index]?.id
    if (!after || !hookNamed(hooks, after.hook) || eventId === undefined) return []
    const payload = { ...after.state, actor: actor ?? attributionOf(caller).actor, eventId }
    const run = () => callAfterHook({ hooks, trace }, after.hook, payload)
    return [{ kind: after.hook, organizationId, payload, run }]
  })
}

/** Calls an `after…` hook: the handler of its jobs. Returns at once if the host has removed the hook. */
export async function callAfterHook(
  { hooks, trace }: Pick<HookContext, 'hooks' | 'trace'>,
  name: string,
  payload: unknown
): Promise<null> {
  const hook = hookNamed(hooks, name)
  if (hook) await inHook({ trace }, name, () => hook(payload))
  return null
}

/** Calls a hook of the host within a span. */
export function inHook<T>(
  { trace }: Pick<HookContext, 'trace'>,
  name: string,
  call: () => T | Promise<T>
): Promise<T> {
  return trace(`seatgate.hook.${name}`, { 'seatgate.hook': name }, async () => call())
}

function hookNamed(hooks: object, name: string): ((state: unknown) => unknown) | null {
  const hook = (hooks as Readonly<Record<string, unknown>>)[name]
  return typeof hook === 'function' ? (hook as (state: unknown) => unknown) : null
}
