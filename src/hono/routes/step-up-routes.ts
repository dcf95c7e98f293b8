import * as v from 'valibot'
import { find } from '../../engine/access/authorize.ts'
import { isInPerson } from '../../engine/access/principal.ts'
import {
  endStepUp,
  stepUp,
  StepUpAction,
  type StepUpInput,
} from '../../operations/sessions/step-up.ts'
import { parseInput } from '../../base/input.ts'
import { ok, refused } from '../../base/result.ts'
import type { Seatgate } from '../../seatgate.ts'
import type { Host } from '../host-adapter.ts'
import { answer, done, scopeOf } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import { signedInRoutes, type GroupOf, type RouteOptions, type Routes } from './route-group.ts'

const Challenge = v.object({ action: StepUpAction }, 'Must be an object.')

/**
 * The routes by which users prove who they are before a destructive action: `POST /step-up/challenge
 * {action}`, `POST /step-up {action, params}`, and `DELETE /step-up`, which ends the freshness. A proof is
 * for the session that it was given in. Leaving the form is not recorded.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', stepUpRoutes(seatgate, host, { authenticate: host.authenticate }))
 * ```
 */
export function stepUpRoutes(seatgate: Seatgate, host: Host, options: RouteOptions): StepUpRoutes {
  return signedInRoutes('stepUpRoutes', { ...seatgate, host }, options, addStepUp)
}

/** The routes of {@link stepUpRoutes}. */
export type StepUpRoutes = GroupOf<typeof addStepUp>

type Hosted = Seatgate & { readonly host: Host }
type Challenged = v.InferInput<typeof Challenge>

function addStepUp(routes: Routes, { host, ...seatgate }: Hosted) {
  return routes
    .post('/step-up/challenge', async (c: Taking<{ json: Challenged }>) => {
      const scope = scopeOf(c)
      const { caller } = await find(seatgate.db, scope, {})
      if (caller === null || !isInPerson(caller))
        return answer(c, refused({ code: 'unauthenticated' }))
      const parsed = parseInput(Challenge, await readBody(c))
      if (!parsed.ok) return answer(c, parsed)
      const { action } = parsed.value
      const challenge = await host.challenge(caller.userId, action)
      if (challenge === null) return answer(c, refused({ code: 'step_up_failed' }))
      const { approved, ...shown } = challenge
      if (approved !== true) return c.json(shown, 200)
      // Approved without a proof: in tests alone.
      const approve = async () => host.isTest
      const given = await stepUp(seatgate, host.rules, { ...scope, caller }, { action }, approve)
      return answer(c, given.ok ? ok({ ...shown, ...given.value }) : given)
    })
    .post('/step-up', async (c: Taking<{ json: StepUpInput }>) => {
      const input = await readBody(c)
      const verify: Host['verify'] = (...proof) => host.verify(...proof)
      return answer(c, await stepUp(seatgate, host.rules, scopeOf(c), input, verify))
    })
    .delete('/step-up', async (c) => {
      const { caller } = await find(seatgate.db, scopeOf(c), {})
      if (caller === null || !isInPerson(caller)) {
        return done(c, refused({ code: 'unauthenticated' }))
      }
      if (caller.session === undefined) return done(c, refused({ code: 'no_session' }))
      await endStepUp(seatgate, caller.session.id)
      return c.body(null, 204)
    })
}
