import type { DefinedRoutes } from '../../src/client/index.ts'
import type { BillingWebhooks, PaymentRoutes, Problem, StepUpRoutes } from '../../src/hono/index.ts'
import type { GroupRoutes } from '../../src/hono/groups/index.ts'
import type { ImpersonationRoutes } from '../../src/hono/impersonation/index.ts'
import type { KeyRoutes } from '../../src/hono/keys/index.ts'
import type { RoleRoutes } from '../../src/hono/roles/index.ts'
import type { ScimTokenRoutes } from '../../src/hono/scim/index.ts'
import type { RefusalCode } from '../../src/index.ts'

/** The routes of the library, as `scripts/openapi.ts` reads them. */
export type Routes = DefinedRoutes &
  DefinedRoutes<PaymentRoutes> &
  DefinedRoutes<BillingWebhooks> &
  DefinedRoutes<StepUpRoutes> &
  DefinedRoutes<KeyRoutes> &
  DefinedRoutes<GroupRoutes> &
  DefinedRoutes<RoleRoutes> &
  DefinedRoutes<ImpersonationRoutes> &
  DefinedRoutes<ScimTokenRoutes>

/** The bodies of refusals, by code. */
export type Problems = { readonly [Code in RefusalCode]: Problem<Code> }
