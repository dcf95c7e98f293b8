import type { Context } from 'hono'
import { mayInvite } from '../../engine/access/roles.ts'
import { createInviteLink } from '../../operations/joining/create-link.ts'
import type { InviteLink } from '../../operations/joining/invite-link.ts'
import { joinByLink } from '../../operations/joining/join-by-link.ts'
import type { JoiningContext } from '../../operations/joining/join-rules.ts'
import { listInviteLinks } from '../../operations/joining/list-links.ts'
import { revokeInviteLink } from '../../operations/joining/revoke-link.ts'
import { viewInviteLink } from '../../operations/joining/view-link.ts'
import type { Seatgate } from '../../seatgate.ts'
import {
  Back,
  Deadline,
  Dialog,
  Field,
  Form,
  Name,
  Pages,
  RefusalNotice,
  RoleSelect,
  Section,
  Table,
  Time,
} from '../elements.tsx'
import { forgetToken, keepTokens, keptToken, NextLink, PasteForm } from '../kept-token.tsx'
import { showOrganizationPage, showPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  afterJoin,
  baseOf,
  granted,
  inOrganization,
  pageIn,
  pathIn,
  readFields,
  scopeOf,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & Pick<JoiningContext, 'joining'> }

const LINKS = '/org/:org/invitations/links'
const DAY_SECONDS = 86_400
const PAGE = 'link'

/** The page of an organization's links to join, and the page that such a link opens. */
export function linkPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const all = (c: Visit) => pathIn(c, '/invitations/links')

  routes.page(LINKS, async (c) => {
    const { organizationRoles: roles } = c.var
    const page = granted(await listInviteLinks(seatgate, inOrganization(c), pageIn(c)))
    return showOrganizationPage(setup, c, {
      key: 'links',
      content: (words) => (
        <>
          <Section id="make" title={words.text('linkMake')}>
            <p>{words.text('linkHelp')}</p>
            <Form action={all(c)} operation={seatgate.newId()}>
              <div class="line">
                <RoleSelect
                  label={words.text('role')}
                  roles={roles.all
                    .filter((role) => role !== roles.owner && mayInvite(roles, c.var, role))
                    .toReversed()}
                />
                <Field label={words.text('linkUses')}>
                  <input name="uses" type="number" min={1} max={10_000} value={10} required />
                </Field>
                <Field label={words.text('linkDays')}>
                  <input name="days" type="number" min={1} max={365} value={7} required />
                </Field>
                <Field label={words.text('linkDomain')}>
                  <input name="domain" autocomplete="off" spellcheck={false} />
                </Field>
                <button class="primary">{words.text('linkMake')}</button>
              </div>
            </Form>
          </Section>
          <Section id="links" title={words.text('links')}>
            <Table
              empty="linksNone"
              words={words}
              caption={words.text('linksCount', { count: page.data.length })}
              head={['role', 'status', 'linkUses', 'expires', 'domain', 'actions']}
              rows={page.data.map((link) => [
                link.role,
                words.word('link', link.state),
                words.text('linkUsesLeft', { left: link.usesLeft, most: link.maxUses }),
                <Deadline at={link.expiresAt} words={words} now={seatgate.now()} />,
                link.domain ?? words.text('all'),
                <Revoke c={c} words={words} link={link} newId={seatgate.newId} />,
              ])}
            />
            <Pages path={all(c)} c={c} next={page.nextCursor} words={words} />
          </Section>
        </>
      ),
    })
  })

  // Not a redirect: the link is shown in this response alone.
  routes.organizationForm(LINKS, async (c) => {
    const fields = await readFields(c)
    const input = {
      role: fields.get('role'),
      maxUses: Number(fields.get('uses')),
      ttlSeconds: Number(fields.get('days')) * DAY_SECONDS,
      domain: fields.get('domain').trim() || null,
    }
    const made = await createInviteLink(seatgate, inOrganization(c), input, fields.options)
    const token = made.ok ? made.value.token : null
    if (token === null) return afterAct(c, made, all(c), 'linkMade')
    const { origin } = new URL(c.req.url)
    return showOrganizationPage(setup, c, {
      key: 'links',
      content: (words) => (
        <section aria-label={words.text('links')}>
          <p role="status">{words.text('linkMade')}</p>
          <Field label={words.text('link')} hint={words.text('linkOnce')}>
            <input readonly value={`${origin}${baseOf(c)}/${PAGE}#token=${token}`} />
          </Field>
          <p class="pages">
            <Back to={all(c)} words={words} />
          </p>
        </section>
      ),
    })
  })

  routes.act(`${LINKS}/:id/revoke`, all, 'linkRevoked', (c, fields) =>
    revokeInviteLink(seatgate, inOrganization(c), c.req.param('id') ?? '', fields.options)
  )

  keepTokens(routes, PAGE)
  routes.open('GET', `/${PAGE}`, async (c) => openedPage(setup, c))
  routes.form(`/${PAGE}/join`, async (c) => {
    const fields = await readFields(c)
    const token = keptToken(c, PAGE) ?? ''
    const joined = await joinByLink(seatgate, scopeOf(c), { token }, fields.options)
    if (!joined.ok) return afterAct(c, joined, `${baseOf(c)}/${PAGE}`, 'done')
    forgetToken(c, PAGE)
    return afterJoin(c, joined.value, fields.get('name'))
  })
}

async function openedPage(setup: Setup, c: Context): Promise<Response> {
  const { seatgate, options } = setup
  const words = wordsOf(c)
  const path = `${baseOf(c)}/${PAGE}`
  const token = keptToken(c, PAGE)
  const caller = await options.authenticate(c)
  const view =
    token === undefined || caller === null
      ? null
      : await viewInviteLink(seatgate, { caller }, { token })
  const link = view?.ok ? view.value : null
  const refusal = view?.ok === false ? view.error : null
  const asks = token !== undefined && (view === null || refusal?.code === 'unauthenticated')
  const { signInUrl = '/sign-in' } = options
  const mark = signInUrl.includes('?') ? '&' : '?'
  const title = link
    ? words.text('inv_accept', { organization: link.organization.name })
    : words.text(asks ? 'linkSignIn' : 'inv_paste')
  const organization = <Name>{link?.organization.name}</Name>
  return showPage(setup, c, {
    words,
    title,
    narrow: true,
    anonymous: caller === null,
    scripts: ['invitation-link.js'],
    content: (
      <>
        <h1>{link ? words.say('inv_accept', { organization }) : title}</h1>
        {link && (
          <section aria-label={words.text('inv_acceptDo')}>
            <p>
              {words.say('linkOf', {
                organization,
                role: <strong>{link.role}</strong>,
                time: <Time at={link.expiresAt} words={words} />,
              })}
            </p>
            <Form action={`${path}/join`} operation={seatgate.newId()}>
              <input type="hidden" name="name" value={link.organization.name} />
              <button class="primary">{words.text('join_auto')}</button>
            </Form>
          </section>
        )}
        {asks && (
          <p>
            <a href={`${signInUrl}${mark}return_to=${encodeURIComponent(path)}`}>
              {words.text('inv_signupHave')}
            </a>
          </p>
        )}
        {refusal && !asks && <RefusalNotice refusal={refusal} words={words} />}
        {link || asks ? (
          <NextLink action={path} words={words} />
        ) : (
          <PasteForm action={path} words={words} />
        )}
      </>
    ),
  })
}

function Revoke({
  c,
  words,
  link: { id, role },
  newId,
}: {
  c: Visit
  words: Words
  link: InviteLink
  newId: () => string
}) {
  return (
    <Dialog
      id={`revoke-${id}`}
      open={words.text('revoke')}
      label={words.text('linkRevoke', { role })}
      title={words.text('linkRevoke', { role })}
      cancel={words.text('cancel')}
      grave
    >
      <p>{words.text('linkRevokeHelp')}</p>
      <Form
        action={pathIn(c, `/invitations/links/${encodeURIComponent(id)}/revoke`)}
        operation={newId()}
      >
        <button class="grave">{words.text('revoke')}</button>
      </Form>
    </Dialog>
  )
}
