import type { Context } from 'hono'
import type { Refusal, Result } from '../../base/result.ts'
import { refused } from '../../base/result.ts'
import { marksOfRequest } from '../../hono/request.ts'
import { acceptInvitation } from '../../operations/invitations/accept.ts'
import { acceptInvitationWithSignup } from '../../operations/invitations/accept-with-signup.ts'
import { declineInvitation } from '../../operations/invitations/decline.ts'
import type { InvitationContext } from '../../operations/invitations/invitation-config.ts'
import { viewInvitation, type InvitationPage } from '../../operations/invitations/view.ts'
import { putActiveOrganization } from '../../operations/sessions/put-active.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Field, Form, Name, Time } from '../elements.tsx'
import { showPage } from '../layout.tsx'
import { forgetToken, keepTokens, keptToken, NextLink, PasteForm } from '../kept-token.tsx'
import type { Routes } from '../routes.ts'
import type { TextKey } from '../texts/en.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  baseOf,
  homeOf,
  readFields,
  withOutcome,
  wordsOf,
  type Console,
  pathOf,
} from '../visit.ts'

const PAGE = 'invitation'

/** A configuration with invitations. */
type Inviting = Seatgate & Pick<InvitationContext, 'invitations'>

/**
 * The page that the link of an invitation opens. The token is in the fragment of the link: a script sends
 * it, or the person pastes the link. A cookie of this page keeps it while they sign in.
 */
export function invitedPages(setup: Console & { seatgate: Inviting }, routes: Routes): void {
  const { seatgate, options } = setup
  const mayRegister = options.signIn !== undefined && seatgate.invitations.registerUser !== null

  routes.open('GET', '/invitation', async (c) => {
    const token = keptToken(c, PAGE)
    const words = wordsOf(c)
    const caller = await options.authenticate(c)
    const view = token === undefined ? null : await viewInvitation(seatgate, caller, { token })
    const title = view
      ? headingOf(view, (key, organization) => words.text(key, { organization }))
      : words.text('inv_paste')
    return showPage(setup, c, {
      words,
      title,
      narrow: true,
      anonymous: caller === null,
      scripts: ['invitation-link.js'],
      content: (
        <>
          <h1>
            {view
              ? headingOf(view, (key, name) =>
                  words.say(key, { organization: <Name>{name}</Name> })
                )
              : title}
          </h1>
          {view === null ? (
            <PasteForm action={`${baseOf(c)}/invitation`} words={words} />
          ) : (
            <>
              <Invitation setup={setup} c={c} view={view} words={words} register={mayRegister} />
              <NextLink action={`${baseOf(c)}/invitation`} words={words} />
            </>
          )}
        </>
      ),
    })
  })

  keepTokens(routes, PAGE)

  routes.form('/invitation/accept', async (c) => {
    const fields = await readFields(c)
    const scope = { caller: c.var.asking, ...marksOfRequest(c) }
    const accepted = await acceptInvitation(seatgate, scope, tokenIn(c), fields.options)
    if (!accepted.ok) return afterAct(c, toStranger(accepted), `${baseOf(c)}/invitation`, 'done')
    const { organization } = accepted.value
    // The session works there from now on. If that cannot be recorded, they are a member in any case.
    if (seatgate.sessions !== null) await putActiveOrganization(seatgate, scope, organization.id)
    forget(c)
    const to = pathOf(c, organization.slug)
    return afterAct(c, accepted, to, 'join_joined', { organization: organization.name })
  })

  routes.open('POST', '/invitation/decline', async (c) => {
    const caller = (await options.authenticate(c)) ?? { type: 'anonymous' as const }
    const scope = { caller, ...marksOfRequest(c) }
    const declined = await declineInvitation(seatgate, scope, tokenIn(c))
    if (declined.ok) forget(c)
    return afterAct(c, declined, `${baseOf(c)}/invitation`, 'inv_declinedDone')
  })

  const { signIn } = options
  if (!mayRegister || signIn === undefined) return
  routes.open('POST', '/invitation/sign-up', async (c) => {
    const fields = await readFields(c)
    const name = fields.get('name').trim()
    const input = {
      ...tokenIn(c),
      email: fields.get('email'),
      password: fields.get('password'),
      ...(name !== '' && { name }),
    }
    const joined = await acceptInvitationWithSignup(seatgate, input, marksOfRequest(c))
    if (!joined.ok) return afterAct(c, toStranger(joined), `${baseOf(c)}/invitation`, 'done')
    const { userId, organization } = joined.value
    await signIn(c, userId)
    forget(c)
    const to = pathOf(c, organization.slug)
    const values = { organization: organization.name }
    return withOutcome(c, { kind: 'done', key: 'join_joined', values }, to)
  })
}

function tokenIn(c: Context): { readonly token: string } {
  return { token: keptToken(c, PAGE) ?? '' }
}

function forget(c: Context): void {
  forgetToken(c, PAGE)
}

// A non-member reads that there is no seat, but not the numbers.
function toStranger(result: Result<unknown>): Result<unknown> {
  if (result.ok || result.error.code !== 'seat_limit_reached') return result
  return refused({ code: 'seat_limit_reached' } as Refusal)
}

function headingOf<T>(view: InvitationPage, say: (key: TextKey, organization: string) => T): T {
  return say(keyOf(view), 'organization' in view ? view.organization.name : '')
}

function keyOf({ status }: InvitationPage): TextKey {
  return `inv_${status}`
}

function Invitation({
  setup,
  c,
  view,
  words,
  register,
}: {
  setup: Console
  c: Context
  view: InvitationPage
  words: Words
  register: boolean
}) {
  if (view.status === 'mismatch') {
    const email = <Name>{view.invitation.email}</Name>
    return <p>{words.say('inv_mismatchHelp', { email, own: <Name>{view.user.email}</Name> })}</p>
  }
  if (!('organization' in view)) {
    const again = view.status === 'already_accepted'
    return (
      <>
        <p>{words.text(again ? 'inv_already_acceptedHelp' : 'inv_endedHelp')}</p>
        <p>
          <a href={homeOf(c)}>{words.text('home')}</a>
        </p>
      </>
    )
  }
  const { invitation, organization, inviter } = view
  const path = `${baseOf(c)}/invitation`
  const { signInUrl = '/sign-in' } = setup.options
  const mark = signInUrl.includes('?') ? '&' : '?'
  const shown = {
    organization: <Name>{organization.name}</Name>,
    role: <strong>{invitation.role}</strong>,
  }
  return (
    <>
      <p>
        {inviter
          ? words.say('inv_acceptHelp', { ...shown, inviter: <Name>{inviter.name}</Name> })
          : words.say('inv_acceptHelpNobody', shown)}
      </p>
      <p class="soft">
        {words.say('inv_until', {
          email: <Name>{invitation.email}</Name>,
          time: <Time at={invitation.expiresAt} words={words} />,
        })}
      </p>
      <section aria-label={words.text('inv_acceptDo')}>
        {view.status === 'accept' && (
          <Form action={`${path}/accept`} operation={setup.seatgate.newId()}>
            <button class="primary">{words.text('inv_acceptDo')}</button>
          </Form>
        )}
        {view.status === 'signup' && register && (
          <Form action={`${path}/sign-up`}>
            <Field label={words.text('address')}>
              <input
                name="email"
                type="email"
                value={invitation.email}
                readonly
                autocomplete="username"
              />
            </Field>
            <Field label={words.text('name')}>
              <input name="name" autocomplete="name" maxlength={255} />
            </Field>
            <Field label={words.text('password')}>
              <input
                name="password"
                type="password"
                required
                minlength={8}
                autocomplete="new-password"
              />
            </Field>
            <p>
              <button class="primary">{words.text('inv_acceptDo')}</button>
            </p>
          </Form>
        )}
        {view.status === 'signup' && (
          <p>
            <a href={`${signInUrl}${mark}return_to=${encodeURIComponent(path)}`}>
              {words.text('inv_signupHave')}
            </a>
          </p>
        )}
        <form method="post" action={`${path}/decline`} class="pages">
          <button>{words.text('inv_declineDo')}</button>
        </form>
      </section>
    </>
  )
}
