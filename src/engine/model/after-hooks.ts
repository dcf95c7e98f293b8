/**
 * Which `after…` hook an event has, and the call of it that waits in the batch of the event.
 *
 * @module
 */
import { attributionOf, type EventDraft } from '../audit/event.ts'
import type { RecordedEvent } from '../audit/record-events.ts'
import type { Job } from './job.ts'
import type { Principal } from '../access/principal.ts'
import type { AfterHook, AfterStates, HookContext } from './hooks.ts'

type StateOf<K extends AfterHook> = Omit<AfterStates[K], 'actor' | 'eventId'>

/** An `after…` hook and what it is given; who did it and the id of the event are added in the batch. */
export type AfterCall = {
  readonly [K in AfterHook]: { readonly hook: K; readonly state: StateOf<K> }
}[AfterHook]

/** An event with the `after…` hook that is called once it is committed. */
export function withHook<K extends AfterHook>(
  event: EventDraft,
  hook: K,
  state: StateOf<K>
): EventDraft {
  return { ...event, after: { hook, state } as unknown as AfterCall }
}

/** The calls of the hooks that the host has set, one for each event that has one. */
export function afterCalls(
  { hooks }: Pick<HookContext, 'hooks'>,
  caller: Principal,
  drafts: readonly EventDraft[],
  recorded: readonly RecordedEvent[]
): readonly Job[] {
  return drafts.flatMap(({ organizationId, after, actor }, index) => {
    const eventId = recorded[index]?.id
    if (!after || !hooks[after.hook] || eventId === undefined) return []
    const payload = { ...after.state, actor: actor ?? attributionOf(caller).actor, eventId }
    const run = () => callAfterHook({ hooks }, after.hook, payload)
    return [{ kind: after.hook, organizationId, payload, run }]
  })
}

/** Calls an `after…` hook: the handler of its jobs. One that the host has taken away has nothing more to say. */
export async function callAfterHook(
  { hooks }: Pick<HookContext, 'hooks'>,
  name: string,
  payload: unknown
): Promise<null> {
  const hook = (hooks as Readonly<Record<string, unknown>>)[name]
  if (typeof hook === 'function') await (hook as (state: unknown) => unknown)(payload)
  return null
}
