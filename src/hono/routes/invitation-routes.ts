import { partOf } from '../../engine/changes/part.ts'
import { Hono, type Context } from 'hono'
import { acceptInvitation } from '../../operations/invitations/accept.ts'
import { acceptInvitationWithSignup } from '../../operations/invitations/accept-with-signup.ts'
import { changeInvitationRole } from '../../operations/invitations/change-role.ts'
import { createInvitation } from '../../operations/invitations/create.ts'
import { createInvitations } from '../../operations/invitations/create-many.ts'
import { declineInvitation } from '../../operations/invitations/decline.ts'
import { importMembers } from '../../operations/invitations/import-members.ts'
import { withoutMailToken, type InvitationWithToken } from '../../engine/model/invitation.ts'
import { listInvitations, listOwnInvitations } from '../../operations/invitations/list.ts'
import { resendInvitation } from '../../operations/invitations/resend.ts'
import { revokeInvitation } from '../../operations/invitations/revoke.ts'
import { viewInvitation } from '../../operations/invitations/view.ts'
import type { InvitationContext } from '../../operations/invitations/invitation-config.ts'
import { ok, type Refusal, type Result } from '../../base/result.ts'
import type { Seatgate } from '../../seatgate.ts'
import { putActiveOrganization } from '../../operations/sessions/put-active.ts'
import {
  answer,
  done,
  inOrganization,
  marksOfRequest,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import { refuseCrossSite } from '../cross-site.ts'
import { readBody, refusalOf, readCsv } from '../request-body.ts'
import { problemOf, problemResponse, statusOf } from '../problem.ts'
import {
  configuredReads,
  forList,
  checkRouteOptions,
  openRoutes,
  signedIn,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'

/** Signs in a newly registered user; returns the token of their session. */
export type SignIn = (c: Context, userId: string) => Promise<string>

/** Options of {@link invitationRoutes}. */
export interface InvitationRouteOptions extends RouteOptions {
  /** Signs in a person who accepts an invitation with sign-up. Without it that route is not there. */
  readonly signIn?: SignIn
}

/** A configuration that has invitations. */
type Inviting = Seatgate & Pick<InvitationContext, 'invitations'>

/**
 * The routes of invitations: those of an organization, and those for the person who was invited.
 *
 * @throws {TypeError} if an option is wrong, or if invitations are not configured.
 */
export function invitationRoutes(
  given: Inviting,
  options: InvitationRouteOptions
): Hono<RouterEnv> {
  checkRouteOptions('invitationRoutes', options, ['signIn'])
  const seatgate = configuredReads(given, options)
  partOf(seatgate, 'invitations')
  return new Hono<RouterEnv>()
    .route('/', invitedRoutes(seatgate, options))
    .route('/', organizationInvitationRoutes(seatgate, options))
}

function organizationInvitationRoutes(seatgate: Inviting, options: RouteOptions) {
  return signedInRoutes(seatgate, options, (routes) => {
    routes.get('/organizations/:org/invitations', async (c) =>
      answer(c, await listInvitations(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    routes.post('/organizations/:org/invitations', async (c) => {
      const { input, options } = await readOperation(c)
      const invited = await createInvitation(seatgate, inOrganization(c), input, options)
      return answer(c, told(invited), 201)
    })
    routes.post('/organizations/:org/invitations/bulk', async (c) => {
      const { input, options } = await readOperation(c)
      const invited = await createInvitations(seatgate, inOrganization(c), input, options)
      if (!invited.ok) return problemResponse(invited.error)
      return c.json({ data: invited.value.map(rowView) })
    })
    routes.post('/organizations/:org/members/import', async (c) => {
      const { input, options } = await readOperation(c, readCsv)
      const imported = await importMembers(seatgate, inOrganization(c), input, options)
      if (!imported.ok) return problemResponse(imported.error)
      const rows = imported.value.map(({ line, email, outcome }) => {
        return { line, email, ...rowView(outcome) }
      })
      return c.json({ data: rows })
    })
    routes.patch('/organizations/:org/invitations/:id', async (c) => {
      const input = await readBody(c)
      const id = c.req.param('id')
      return answer(c, await changeInvitationRole(seatgate, inOrganization(c), id, input))
    })
    routes.post('/organizations/:org/invitations/:id/resend', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, told(await resendInvitation(seatgate, inOrganization(c), id, options)))
    })
    routes.delete('/organizations/:org/invitations/:id', async (c) =>
      done(c, await revokeInvitation(seatgate, inOrganization(c), c.req.param('id')))
    )
  })
}

/**
 * Returns a row of a list: the status that it would have by itself, and its invitation or its problem.
 */
function rowView(row: Result<InvitationWithToken>) {
  return row.ok
    ? { status: 201, invitation: withoutMailToken(row.value) }
    : { status: statusOf(row.error.code), problem: problemOf(row.error) }
}

// What a token is worth, it is worth to strangers too.
function invitedRoutes(seatgate: Inviting, options: InvitationRouteOptions) {
  const { authenticate, signIn, allowedOrigins = [] } = options
  return openRoutes<RouterEnv>(seatgate, options, (routes) => {
    // Without a proof of the address nobody can be shown what was sent to it.
    if (seatgate.emailVerification !== null) {
      routes.get('/invitations', signedIn(authenticate), async (c) =>
        answer(c, await listOwnInvitations(seatgate, scopeOf(c), readQuery(c)))
      )
    }
    routes.post('/invitations/view', async (c) => {
      const input = await readBody(c)
      const unreadable = refusalOf(input)
      if (unreadable) return problemResponse(unreadable)
      return c.json(await viewInvitation(seatgate, await authenticate(c), input))
    })
    routes.post('/invitations/accept', signedIn(authenticate), async (c) => {
      const { input, options } = await readOperation(c)
      const accepted = await acceptInvitation(seatgate, scopeOf(c), input, options)
      if (!accepted.ok) return problemResponse(toStranger(accepted.error))
      const { membership, organization } = accepted.value
      // Whoever comes in works there from now on. If that cannot be noted, they are in all the same.
      if (seatgate.sessions !== null) {
        await putActiveOrganization(seatgate, scopeOf(c), organization.id)
      }
      return c.json({ membership, organization })
    })
    routes.post('/invitations/decline', async (c) => {
      const caller = (await authenticate(c)) ?? { type: 'anonymous' as const }
      const scope = { caller, ...marksOfRequest(c) }
      return done(c, await declineInvitation(seatgate, scope, await readBody(c)))
    })
    if (signIn && seatgate.invitations.registerUser) {
      // It starts a session: to sign a person in as another is an attack without any cookie.
      const ownSite = refuseCrossSite({ allowedOrigins, requests: 'all' })
      routes.post('/invitations/accept-with-signup', ownSite, async (c) => {
        const input = await readBody(c)
        const joined = await acceptInvitationWithSignup(seatgate, input, marksOfRequest(c))
        if (!joined.ok) return problemResponse(toStranger(joined.error))
        const { user, userId, membership, organization } = joined.value
        return c.json({ user, membership, organization, token: await signIn(c, userId) }, 201)
      })
    }
  })
}

// The inviter gets the token that verifies no address; only the mailer sends the other one.
function told(invited: Result<InvitationWithToken>): Result<object> {
  return invited.ok ? ok(withoutMailToken(invited.value)) : invited
}

// A user who is not a member yet learns that there is no seat, but not the numbers.
function toStranger(refusal: Refusal): Refusal {
  if (refusal.code !== 'seat_limit_reached') return refusal
  return { code: refusal.code } as Refusal
}
