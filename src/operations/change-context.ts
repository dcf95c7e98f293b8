import type { TrailContext } from '../audit/statements.ts'
import type { HookContext } from '../hooks/hooks.ts'
import type { AccessContext } from '../memberships/roles.ts'
import type { Runtime } from '../runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import type { RefusalCounts } from '../seats/refusals.ts'
import type { AftermathContext } from './aftermath.ts'
import type { StepUpContext } from './prove.ts'

/** What a change needs, from what it reads to what follows on its commit. */
export interface ChangeContext
  extends
    Runtime,
    AccessContext,
    TrailContext,
    ProviderContext,
    HookContext,
    StepUpContext,
    AftermathContext {
  readonly sinks: AftermathContext['sinks']
  readonly log: AftermathContext['log']
  readonly refusals: RefusalCounts
}
