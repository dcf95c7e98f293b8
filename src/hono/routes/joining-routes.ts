import type { PageInput } from '../../base/page.ts'
import { addDomain, type AddDomainInput } from '../../operations/joining/add-domain.ts'
import { approveJoinRequest, type ApprovalInput } from '../../operations/joining/approve.ts'
import {
  removeDomain,
  setDomainMode,
  type DomainModeInput,
} from '../../operations/joining/change-domain.ts'
import {
  createInviteLink,
  type CreateInviteLinkInput,
} from '../../operations/joining/create-link.ts'
import { linkRules, type LinkTokenInput } from '../../operations/joining/invite-link.ts'
import { joinByLink } from '../../operations/joining/join-by-link.ts'
import { listInviteLinks } from '../../operations/joining/list-links.ts'
import { revokeInviteLink } from '../../operations/joining/revoke-link.ts'
import { viewInviteLink } from '../../operations/joining/view-link.ts'
import { declineJoinRequest, withdrawJoinRequest } from '../../operations/joining/decline.ts'
import { joinOrganization, type JoinOrganizationInput } from '../../operations/joining/join.ts'
import {
  listDomains,
  listJoinableOrganizations,
  listJoinRequests,
} from '../../operations/joining/list.ts'
import { verifyDomain } from '../../operations/joining/verify-domain.ts'
import type { JoiningContext } from '../../operations/joining/join-rules.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { Seatgate } from '../../seatgate.ts'
import { readBody } from '../request-body.ts'
import {
  answer,
  deny,
  done,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
} from '../request.ts'
import type { Taking } from '../typed-response.ts'
import {
  forList,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from './route-group.ts'

/** A configuration that has joining. */
type Joining = Seatgate & Pick<JoiningContext, 'joining'>

/**
 * Returns the routes of joining by domain and on request.
 *
 * @throws {TypeError} if an option is wrong, or if `joining` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', joiningRoutes(seatgate, { authenticate }))
 * ```
 */
export function joiningRoutes(given: Joining, options: RouteOptions): JoiningRoutes {
  partOf(given, 'joining')
  return signedInRoutes('joiningRoutes', given, options, addJoining)
}

/** The routes of {@link joiningRoutes}. */
export type JoiningRoutes = GroupOf<typeof addJoining>

function addJoining(routes: Routes, seatgate: Joining) {
  return routes
    .get('/organizations/:org/domains', async (c) =>
      answer(c, await listDomains(seatgate, inOrganization(c), readQuery(c)))
    )
    .post('/organizations/:org/domains', async (c: Taking<{ json: AddDomainInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await addDomain(seatgate, inOrganization(c), input, options), 201)
    })
    .patch(
      '/organizations/:org/domains/:id',
      async (c: Taking<{ json: DomainModeInput }, '/:id'>) => {
        const input = await readBody(c)
        return answer(c, await setDomainMode(seatgate, inOrganization(c), c.req.param('id'), input))
      }
    )
    .post('/organizations/:org/domains/:id/verify', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, await verifyDomain(seatgate, inOrganization(c), id, options))
    })
    .delete('/organizations/:org/domains/:id', async (c) =>
      done(c, await removeDomain(seatgate, inOrganization(c), c.req.param('id')))
    )

    .get('/organizations/:org/join-requests', async (c: Taking<{ query: PageInput }>) =>
      answer(c, await listJoinRequests(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    .post(
      '/organizations/:org/join-requests/:id/approve',
      async (c: Taking<{ json: ApprovalInput }, '/:id'>) => {
        const { input, options } = await readOperation(c)
        const id = c.req.param('id')
        return answer(c, await approveJoinRequest(seatgate, inOrganization(c), id, input, options))
      }
    )
    .post('/organizations/:org/join-requests/:id/decline', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, await declineJoinRequest(seatgate, inOrganization(c), id, options))
    })

    .get('/joinable-organizations', async (c) =>
      answer(c, await listJoinableOrganizations(seatgate, scopeOf(c), readQuery(c)))
    )
    .post('/join-requests', async (c: Taking<{ json: JoinOrganizationInput }>) => {
      const { input, options } = await readOperation(c)
      const joined = await joinOrganization(seatgate, scopeOf(c), input, options)
      if (!joined.ok) return answer(c, joined)
      return joined.value.status === 'joined'
        ? c.json(joined.value, 201)
        : c.json(joined.value, 202)
    })
    .delete('/join-requests/:id', async (c) =>
      done(c, await withdrawJoinRequest(seatgate, scopeOf(c), c.req.param('id')))
    )
}

/**
 * Returns the routes of invite links: those of an organization, and those for a user with a link.
 *
 * @throws {TypeError} if an option is wrong, or if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * app.route('/', inviteLinkRoutes(seatgate, { authenticate }))
 * ```
 */
export function inviteLinkRoutes(given: Joining, options: RouteOptions): InviteLinkRoutes {
  linkRules(given)
  return signedInRoutes('inviteLinkRoutes', given, options, addInviteLinks)
}

/** The routes of {@link inviteLinkRoutes}. */
export type InviteLinkRoutes = GroupOf<typeof addInviteLinks>

function addInviteLinks(routes: Routes, seatgate: Joining) {
  return routes
    .get('/organizations/:org/invite-links', async (c: Taking<{ query: PageInput }>) =>
      answer(c, await listInviteLinks(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    .post(
      '/organizations/:org/invite-links',
      async (c: Taking<{ json: CreateInviteLinkInput }>) => {
        const { input, options } = await readOperation(c)
        return answer(c, await createInviteLink(seatgate, inOrganization(c), input, options), 201)
      }
    )
    .delete('/organizations/:org/invite-links/:id', async (c) =>
      done(c, await revokeInviteLink(seatgate, inOrganization(c), c.req.param('id')))
    )
    .post('/invite-links/view', async (c: Taking<{ json: LinkTokenInput }>) => {
      const shown = await viewInviteLink(seatgate, scopeOf(c), await readBody(c))
      return shown.ok ? c.json(shown.value, 200) : deny(shown.error)
    })
    .post('/invite-links/join', async (c: Taking<{ json: LinkTokenInput }>) => {
      const { input, options } = await readOperation(c)
      const joined = await joinByLink(seatgate, scopeOf(c), input, options)
      if (!joined.ok) return answer(c, joined)
      return joined.value.status === 'joined'
        ? c.json(joined.value, 201)
        : c.json(joined.value, 202)
    })
}
