/**
 * The `after…` hooks of events, and their calls, which are jobs in the batch of the event.
 *
 * @module
 */
import type { EventDraft } from '../audit/event.ts'
import { attributionOf } from '../access/principal.ts'
import type { RecordedEvent } from '../audit/record-events.ts'
import type { Job } from './job.ts'
import type { Principal } from '../access/principal.ts'
import type { AfterHook, AfterStates, HookContext } from './hooks.ts'

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
  { hooks }: Pick<HookContext, 'hooks'>,
  caller: Principal,
  drafts: readonly EventDraft[],
  recorded: readonly RecordedEvent[]
): readonly Job[] {
  return drafts.flatMap(({ organizationId, after, actor }, index) => {
    const eventId = recorded[index]?.id
    if (!after || !hookNamed(hooks, after.hook) || eventId === undefined) return []
    const payload = { ...after.state, actor: actor ?? attributionOf(caller).actor, eventId }
    const run = () => callAfterHook({ hooks }, after.hook, payload)
    return [{ kind: after.hook, organizationId, payload, run }]
  })
}

/** Calls an `after…` hook: the handler of its jobs. Returns at once if the host has removed the hook. */
export async function callAfterHook(
  { hooks }: Pick<HookContext, 'hooks'>,
  name: string,
  payload: unknown
): Promise<null> {
  await hookNamed(hooks, name)?.(payload)
  return null
}

function hookNamed(hooks: object, name: string): ((state: unknown) => unknown) | null {
  const hook = (hooks as Readonly<Record<string, unknown>>)[name]
  return typeof hook === 'function' ? (hook as (state: unknown) => unknown) : null
}
