import type { TrailContext } from '../audit/record-events.ts'
import type { HookContext } from '../model/hooks.ts'
import type { AccessContext } from '../access/roles.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import type { RefusalCounts } from '../seats/refusal-counter.ts'
import type { JobContext } from './jobs.ts'
import type { ListenerContext } from './listeners.ts'
import type { StepUpContext } from '../access/step-up.ts'

/** What a change needs, from what it reads to what follows on its commit. */
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
