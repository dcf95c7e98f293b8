import type { TrailContext, EventContext } from '../audit/record-events.ts'
import type { HookContext } from '../model/hooks.ts'
import type { AccessContext } from '../access/roles.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import type { RefusalCounts } from '../seats/refusal-counter.ts'
import type { JobContext } from './jobs.ts'
import type { ListenerContext } from './listeners.ts'
import type { StepUpContext } from '../access/step-up.ts'
import { attributionOf, type Principal, type RequestMarks } from '../access/principal.ts'

/** The context of a change, from its reads to the work after its commit. */
export interface ChangeContext
  extends
    Runtime,
    AccessContext,
    TrailContext,
    ProviderContext,
    HookContext,
    StepUpContext,
    JobContext,
    ListenerContext {
  readonly refusals: RefusalCounts
}

/** The caller, the request and the time of a change. */
export interface Occasion extends RequestMarks {
  readonly caller: Principal
  readonly now: Date
}

/** Returns the parts that the events of a change have in common. */
export function contextOf({ caller, requestId, origin, now }: Occasion): EventContext {
  return { ...attributionOf(caller), requestId: requestId ?? null, origin, now }
}
