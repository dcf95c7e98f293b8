import type { DefinedRoutes } from '../../src/client/index.ts'
import type { Problem } from '../../src/hono/index.ts'
import type { RefusalCode } from '../../src/index.ts'

/** The routes of the ready router, as `scripts/openapi.ts` reads them. */
export type Routes = DefinedRoutes

/** The bodies of refusals, by code. */
export type Problems = { readonly [Code in RefusalCode]: Problem<Code> }
