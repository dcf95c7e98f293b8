import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { EventContext, RecordedEvent, TrailContext } from '../audit/record-events.ts'
import type { HookContext } from '../model/hooks.ts'
import type { AccessContext } from '../access/roles.ts'
import type { Runtime } from '../../base/runtime.ts'
import { withSeatCount } from '../seats/counts.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import type { JobContext } from './jobs.ts'
import type { StepUpContext } from '../access/step-up.ts'
import { attributionOf, type Principal, type RequestInfo } from '../access/principal.ts'
import type { LossContext } from '../model/leave.ts'
import type { RightsLeft } from '../model/plan.ts'
import type { JoiningMembersContext } from '../model/joining-members.ts'
import type { ScimMembersContext } from '../model/scim-members.ts'
import type { SessionStoreContext } from '../model/session-store.ts'
import type { BuyerContext } from './buyer-context.ts'

/** The context of a change, from its reads to the work after its commit. */
export interface ChangeContext
  extends
    Runtime,
    AccessContext,
    Omit<TrailContext, 'withSeatCount'>,
    ProviderContext,
    HookContext,
    StepUpContext,
    JobContext,
    ListenerContext,
    BuyerContext {
  readonly refusals: RefusalCounts
  /** Those of all parts. */
  readonly followers: readonly Follower[]
}

/** The refusals for lack of a seat that this isolate has not recorded, by pool of seats. */
export type RefusalCounts = Map<string, { readonly window: number; readonly refusals: number }>

/** The caller, the request and the time of a change. */
export interface ChangeInfo extends RequestInfo {
  readonly caller: Principal
  readonly known?: EventContext['known']
  readonly now: Date
}

/** Returns the parts that the events of a change have in common. */
export function contextOf({ caller, requestId, ...info }: ChangeInfo): EventContext {
  return { ...attributionOf(caller), requestId: requestId ?? null, ...info }
}

/** Returns the context of writing events, with the count of seats, which the trail does not know. */
export function trailOf(context: ChangeContext): TrailContext {
  const { db, newId, newSecret, consumers, recordedData, seatContext } = context
  const counting: TrailContext['withSeatCount'] = (metadata, organizationId, at) =>
    withSeatCount(metadata, seatContext, organizationId, at)
  return { db, newId, newSecret, consumers, recordedData, withSeatCount: counting }
}

/** The changes of a committed batch. */
export interface Committed {
  /** The organizations that its events are about, each once. */
  readonly organizationIds: readonly string[]
  /** Those of them that are marked for the consumers of the trail. */
  readonly markedIds: readonly string[]
  readonly events: readonly RecordedEvent[]
  /** The seats that it released. */
  readonly freedSeats: readonly SeatReference[]
}

/**
 * Reacts to committed changes. A failure changes no answer: a listener reports it, or catches up later.
 * Both are methods, since the context they receive also has what the listener's own part put into it.
 */
export interface Listener {
  /** Is called once the freed seats are released, beside the confirmations and the jobs. */
  committed?(context: ChangeContext, committed: Committed): Promise<void>
  /**
   * Is called when organizations may have free seats: seats were released, or the provider knows a new
   * limit. A new limit is in D1 before the provider knows it, so `committed` would be too early.
   */
  seatsFreed?(context: ChangeContext, organizationIds: readonly string[]): Promise<void>
}

/**
 * Returns statements that follow the events of a batch, as its last ones. Those that write an event
 * return it. `dueIn` are organizations in which a notice may be due though no event is about their seats;
 * `losses` has the members whose role changes.
 */
export type Follower = (
  context: ChangeContext,
  eventContext: EventContext,
  events: readonly EventDraft[],
  dueIn: readonly string[],
  losses: readonly RightsLeft[]
) => readonly Statement[]

/** The context for calling the listeners. */
export interface ListenerContext {
  /** Called side by side. */
  readonly listeners: readonly Listener[]
}

/** Calls every listener for a committed batch. */
export async function notifyCommitted(context: ChangeContext, committed: Committed): Promise<void> {
  await Promise.all(
    context.listeners.map(async (listener) => listener.committed?.(context, committed))
  )
}

/** Calls every listener for organizations that may have free seats. */
export async function notifySeatsFreed(
  context: ChangeContext,
  organizationIds: readonly string[]
): Promise<void> {
  if (organizationIds.length === 0) return
  await Promise.all(
    context.listeners.map(async (listener) => listener.seatsFreed?.(context, organizationIds))
  )
}

/** The context of an operation on memberships. */
export type MembershipContext = ChangeContext &
  LossContext &
  JoiningMembersContext &
  ScimMembersContext &
  SessionStoreContext
