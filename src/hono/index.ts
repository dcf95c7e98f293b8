/**
 * Seatgate for Hono: middleware, guards and the ready routes. `seatgate/hono`
 *
 * @module
 */
export { organization, requireRole } from './middleware.ts'
export type { OrganizationEnv, OrganizationOptions, OrganizationVariables } from './middleware.ts'
export { seatgateRouter } from './router.ts'
export type { RouterOptions } from './router.ts'
export type { Authenticate } from './authenticate.ts'
export { problemResponse, RefusalException, statusOf } from './problem.ts'
