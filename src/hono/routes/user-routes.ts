import type { ProofInput } from '../../engine/access/step-up.ts'
import { deleteUser } from '../../operations/memberships/delete-user.ts'
import type { Seatgate } from '../../seatgate.ts'
import { done, scopeOf } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import {
  checkProof,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from './route-group.ts'

/**
 * Returns the route of users, `DELETE /users/me`: ends the caller's memberships and deletes their account, with the
 * statements of `hooks.onDelete`.
 *
 * @throws {TypeError} if an option is wrong, if `hooks.onDelete` is not configured, or if neither
 *   `verifyPassword` nor `stepUp` is.
 *
 * @example
 * ```ts
 * app.route('/', userRoutes(seatgate, { authenticate }))
 * ```
 */
export function userRoutes(given: Seatgate, options: RouteOptions): UserRoutes {
  checkProof('userRoutes', given)
  if (!given.lifecycle.onDelete) {
    throw new TypeError('userRoutes: createSeatgate needs hooks.onDelete for it.')
  }
  return signedInRoutes('userRoutes', given, options, addUsers)
}

/** The routes of {@link userRoutes}. */
export type UserRoutes = GroupOf<typeof addUsers>

function addUsers(routes: Routes, seatgate: Seatgate) {
  return routes.delete('/users/me', async (c: Taking<{ json: ProofInput }>) =>
    done(c, await deleteUser(seatgate, scopeOf(c), await readBody(c)))
  )
}
