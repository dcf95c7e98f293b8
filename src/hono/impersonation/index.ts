/**
 * Operators who act as a user. `seatgate/impersonation`
 *
 * @module
 */
export { impersonation } from '../../parts/impersonation/impersonation.ts'
export type {
  ImpersonationContext,
  ImpersonationOptions,
  ImpersonationPart,
} from '../../parts/impersonation/impersonation.ts'
export { isImpersonationToken } from '../../parts/impersonation/token.ts'
export { authenticateImpersonation } from './authenticate-impersonation.ts'
export { impersonationRoutes } from './impersonation-routes.ts'
export type { ImpersonationRoutes } from './impersonation-routes.ts'
export { startImpersonation } from '../../parts/impersonation/start.ts'
export type {
  StartImpersonationInput,
  StartImpersonationRefusal,
} from '../../parts/impersonation/start.ts'
export { endImpersonation } from '../../parts/impersonation/end.ts'
export type { EndImpersonationRefusal } from '../../parts/impersonation/end.ts'
export { listImpersonations, listOwnImpersonations } from '../../parts/impersonation/list.ts'
export type { ListOwnImpersonationsRefusal } from '../../parts/impersonation/list.ts'
export type {
  ImpersonationLookup,
  ImpersonationWithToken,
  RunningImpersonation,
  RunningImpersonations,
} from '../../parts/impersonation/running.ts'
