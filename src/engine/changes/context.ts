import { attributionOf } from '../access/principal.ts'
import type { EventContext } from '../audit/record-events.ts'
import type { Principal, RequestMarks } from '../access/principal.ts'

/** On whose behalf, in which request and when something is done. */
export interface Occasion extends RequestMarks {
  readonly caller: Principal
  readonly now: Date
}

/** What the events have in common that tell of it. */
export function contextOf({ caller, requestId, origin, now }: Occasion): EventContext {
  return { ...attributionOf(caller), requestId: requestId ?? null, origin, now }
}
