import { partOf } from '../../engine/changes/part.ts'
import type { Context, Hono } from 'hono'
import { mountable } from '../mountable.ts'
import type { ExtractSchema } from 'hono/types'
import { acceptInvitation } from '../../operations/invitations/accept.ts'
import {
  acceptInvitationWithSignup,
  type SignUpInput,
} from '../../operations/invitations/accept-with-signup.ts'
import type { CreateInvitationInput } from '../../operations/invitations/plan-invitation.ts'
import type { TokenInput } from '../../operations/invitations/verify-token.ts'
import { changeInvitationRole } from '../../operations/invitations/change-role.ts'
import { createInvitation } from '../../operations/invitations/create.ts'
import {
  createInvitations,
  type CreateInvitationsInput,
} from '../../operations/invitations/create-many.ts'
import { declineInvitation } from '../../operations/invitations/decline.ts'
import { importMembers } from '../../operations/invitations/import-members.ts'
import { withoutMailToken, type InvitationWithToken } from '../../engine/model/invitation.ts'
import { listInvitations, listOwnInvitations } from '../../operations/invitations/list.ts'
import { resendInvitation } from '../../operations/invitations/resend.ts'
import { revokeInvitation } from '../../operations/invitations/revoke.ts'
import { viewInvitation } from '../../operations/invitations/view.ts'
import type { InvitationContext } from '../../operations/invitations/invitation-config.ts'
import type { PageInput } from '../../base/page.ts'
import {
  ok,
  refused,
  type RefusalCode,
  type RefusalOf,
  type Refused,
  type Result,
} from '../../base/result.ts'
import type { ChangeRoleInput } from '../../engine/access/roles.ts'
import type { Seatgate } from '../../seatgate.ts'
import { putActiveOrganization } from '../../operations/sessions/put-active.ts'
import {
  answer,
  deny,
  done,
  inOrganization,
  marksOfRequest,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { refuseCrossSite } from '../cross-site.ts'
import { readBody, refusalOf, readCsv } from '../request-body.ts'
import { problemOf, statusOf } from '../problem.ts'
import {
  forList,
  openRoutes,
  signedIn,
  signedInRoutes,
  type GroupOf,
  type OpenGroupOf,
  type RouteOptions,
  type Routes,
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
 * Returns the routes of invitations: those of an organization, and those for the person who was invited.
 *
 * @throws {TypeError} if an option is wrong, or if invitations are not configured.
 *
 * @example
 * ```ts
 * app.route('/', invitationRoutes(seatgate, { authenticate }))
 * ```
 */
export function invitationRoutes(
  given: Inviting,
  options: InvitationRouteOptions
): InvitationRoutes {
  const where = 'invitationRoutes'
  partOf(given, 'invitations')
  return mountable<RouterEnv>()
    .route('/', openRoutes(where, given, options, addByToken, ['signIn']))
    .route('/', signedInRoutes(where, given, options, addInvitations, ['signIn']))
}

/** The routes of {@link invitationRoutes}. */
export type InvitationRoutes = Hono<
  RouterEnv,
  ExtractSchema<OpenGroupOf<typeof addByToken> | GroupOf<typeof addInvitations>>
>

function addInvitations(routes: Routes, seatgate: Inviting) {
  return routes
    .get('/organizations/:org/invitations', async (c: Taking<{ query: PageInput }>) =>
      answer(c, await listInvitations(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    .post('/organizations/:org/invitations', async (c: Taking<{ json: CreateInvitationInput }>) => {
      const { input, options } = await readOperation(c)
      const invited = await createInvitation(seatgate, inOrganization(c), input, options)
      return answer(c, told(invited), 201)
    })
    .post(
      '/organizations/:org/invitations/bulk',
      async (c: Taking<{ json: CreateInvitationsInput }>) => {
        const { input, options } = await readOperation(c)
        const invited = await createInvitations(seatgate, inOrganization(c), input, options)
        if (!invited.ok) return answer(c, invited)
        return c.json({ data: invited.value.map(rowView) }, 200)
      }
    )
    .post('/organizations/:org/members/import', async (c) => {
      const { input, options } = await readOperation(c, readCsv)
      const imported = await importMembers(seatgate, inOrganization(c), input, options)
      if (!imported.ok) return answer(c, ofText(imported))
      const rows = imported.value.map(({ line, email, outcome }) => {
        return { line, email, ...rowView(outcome) }
      })
      return c.json({ data: rows }, 200)
    })
    .patch(
      '/organizations/:org/invitations/:id',
      async (c: Taking<{ json: ChangeRoleInput }, '/:id'>) => {
        const input = await readBody(c)
        const id = c.req.param('id')
        return answer(c, await changeInvitationRole(seatgate, inOrganization(c), id, input))
      }
    )
    .post('/organizations/:org/invitations/:id/resend', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, told(await resendInvitation(seatgate, inOrganization(c), id, options)))
    })
    .delete('/organizations/:org/invitations/:id', async (c) =>
      done(c, await revokeInvitation(seatgate, inOrganization(c), c.req.param('id')))
    )
}

/**
 * Returns a row of a list: the status that it would have by itself, and its invitation or its problem.
 */
// The body is text, and is refused as one.
function ofText<Code extends RefusalCode>(
  result: Refused<Code>
): Refused<Code | 'payload_too_large'> {
  return result
}

function rowView(row: Result<InvitationWithToken>) {
  return row.ok
    ? { status: 201, invitation: withoutMailToken(row.value) }
    : { status: statusOf(row.error.code), problem: problemOf(row.error) }
}

// Strangers may use a token too: the token is the proof.
function addByToken(routes: Routes, seatgate: Inviting, options: InvitationRouteOptions) {
  const { authenticate, signIn, allowedOrigins = [] } = options
  const byToken = routes
    .post('/invitations/view', async (c: Taking<{ json: TokenInput }>) => {
      const input = await readBody(c)
      const unreadable = refusalOf(input)
      if (unreadable) return deny(unreadable)
      return c.json(await viewInvitation(seatgate, await authenticate(c), input), 200)
    })
    .post(
      '/invitations/accept',
      signedIn(authenticate),
      async (c: Taking<{ json: TokenInput }>) => {
        const { input, options } = await readOperation(c)
        const accepted = await acceptInvitation(seatgate, scopeOf(c), input, options)
        if (!accepted.ok) return answer(c, toStranger(accepted))
        const { membership, organization } = accepted.value
        // The organization becomes the active one of the session. If that fails, the user is a member all the same.
        if (seatgate.sessions !== null) {
          await putActiveOrganization(seatgate, scopeOf(c), organization.id)
        }
        return c.json({ membership, organization }, 200)
      }
    )
    .post('/invitations/decline', async (c: Taking<{ json: TokenInput }>) => {
      const caller = (await authenticate(c)) ?? { type: 'anonymous' as const }
      const scope = { caller, ...marksOfRequest(c) }
      return done(c, await declineInvitation(seatgate, scope, await readBody(c)))
    })

  // Without a proof of the address no user can see the invitations that were sent to it.
  const withOwn = () =>
    byToken.get('/invitations', signedIn(authenticate), async (c: Taking<{ query: PageInput }>) =>
      answer(c, await listOwnInvitations(seatgate, scopeOf(c), readQuery(c)))
    )
  // In the type they are there either way, as `DELETE /users/me` is.
  const own =
    seatgate.emailVerification === null ? (byToken as ReturnType<typeof withOwn>) : withOwn()
  const withSignUp = (start: SignIn) =>
    own.post(
      '/invitations/accept-with-signup',
      // It starts a session: to sign a person in as another is an attack without any cookie.
      refuseCrossSite({ allowedOrigins, requests: 'all' }),
      async (c: Taking<{ json: SignUpInput }>) => {
        const input = await readBody(c)
        const joined = await acceptInvitationWithSignup(seatgate, input, marksOfRequest(c))
        if (!joined.ok) return answer(c, toStranger(joined))
        const { user, userId, membership, organization } = joined.value
        return c.json({ user, membership, organization, token: await start(c, userId) }, 201)
      }
    )
  if (signIn && seatgate.invitations.registerUser) return withSignUp(signIn)
  return own as ReturnType<typeof withSignUp>
}

// The inviter gets the token that verifies no address; only the mailer sends the other one.
function told<Code extends RefusalCode>(invited: Result<InvitationWithToken, Code>) {
  return invited.ok ? ok(withoutMailToken(invited.value)) : invited
}

// A user who is not a member yet learns that there is no seat, but not the numbers.
function toStranger<Code extends RefusalCode>(result: Refused<Code>): Refused<Code> {
  const { code } = result.error
  return code === 'seat_limit_reached' ? refused({ code } as RefusalOf<Code>) : result
}
