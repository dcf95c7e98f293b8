import { mayInvite } from '../../engine/access/roles.ts'
import { userIdOf } from '../../engine/access/principal.ts'
import type { Invitation } from '../../engine/model/invitation.ts'
import { changeInvitationRole } from '../../operations/invitations/change-role.ts'
import {
  createInvitations,
  type InvitationOutcomes,
} from '../../operations/invitations/create-many.ts'
import type { InvitationContext } from '../../operations/invitations/invitation-config.ts'
import { listInvitationsAndUsers } from '../../operations/invitations/list.ts'
import { resendInvitation } from '../../operations/invitations/resend.ts'
import { revokeInvitation } from '../../operations/invitations/revoke.ts'
import type { Seatgate } from '../../seatgate.ts'
import {
  Back,
  Deadline,
  Dialog,
  Empty,
  Field,
  Form,
  Island,
  islandTexts,
  Name,
  Pages,
  refusalLine,
  RefusalNotice,
  RoleSelect,
  Section,
  Table,
  UserById,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  baseOf,
  granted,
  inOrganization,
  pageIn,
  may,
  pathIn,
  readFields,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & Pick<InvitationContext, 'invitations'> }

/** An address with the outcome of its invitation. */
interface InvitedRow {
  readonly email: string
  readonly invited: boolean
  readonly words: string
  readonly link?: string
}

/** The page of an organization's invitations. */
export function invitationPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const all = (c: Visit) => pathIn(c, '/invitations')
  const idIn = (c: Visit) => c.req.param('id') ?? ''

  routes.page('/org/:org/invitations', async (c) => {
    const page = granted(await listInvitationsAndUsers(seatgate, inOrganization(c), pageIn(c)))
    const words = wordsOf(c)
    const own = userIdOf(c.var.caller)
    const mayAct = may(c, 'members:invite')
    return showOrganizationPage(setup, c, {
      key: 'invitations',
      content: () => (
        <>
          <InviteSection setup={setup} c={c} words={words} mayAct={mayAct} />
          <section aria-label={words.text('invitations')}>
            <Table
              words={words}
              caption={words.text('invitationsCount', { count: page.data.length })}
              head={[
                'address',
                'role',
                'mail',
                'expires',
                'invitedBy',
                ...(mayAct ? (['actions'] as const) : []),
              ]}
              rows={page.data.map((invitation) => [
                <Name>{invitation.email}</Name>,
                invitation.role,
                words.word('mail', invitation.mailStatus),
                <Deadline at={invitation.expiresAt} words={words} now={seatgate.now()} />,
                invitation.invitedBy === own
                  ? words.text('you')
                  : invitation.invitedBy && (
                      <UserById id={invitation.invitedBy} users={page.users} />
                    ),
                <Acts setup={setup} c={c} words={words} invitation={invitation} />,
              ])}
            />
            {page.data.length === 0 && <Empty>{words.text('invitationsNone')}</Empty>}
            <Pages path={all(c)} c={c} next={page.nextCursor} words={words} />
          </section>
        </>
      ),
    })
  })

  // Not a redirect: the links are shown in this response alone.
  routes.organizationForm('/org/:org/invitations', async (c) => {
    const fields = await readFields(c)
    const words = wordsOf(c)
    const role = fields.get('role')
    const emails = fields
      .get('addresses')
      .split(/[\s,;]+/)
      .filter((address) => address !== '')
    const invited = await createInvitations(
      seatgate,
      inOrganization(c),
      { invitations: emails.map((email) => ({ email, role })) },
      fields.options
    )
    const rows = invited.ok ? rowsOf(setup, c, words, emails, invited.value) : []
    if (c.req.header('accept') === 'application/json') {
      if (invited.ok) return c.json({ rows })
      return c.json({ words: refusalLine(invited.error, words) }, 409)
    }
    return showOrganizationPage(setup, c, {
      key: 'invitations',
      content: () => (
        <>
          {!invited.ok && <RefusalNotice refusal={invited.error} words={words} />}
          {invited.ok && <Outcomes rows={rows} words={words} />}
          <p class="pages">
            <Back to={all(c)} words={words} />
          </p>
        </>
      ),
    })
  })

  routes.act('/org/:org/invitations/:id/resend', all, 'resentDone', (c, fields) =>
    resendInvitation(seatgate, inOrganization(c), idIn(c), fields.options)
  )
  routes.form('/org/:org/invitations/:id/role', async (c) => {
    const fields = await readFields(c)
    const role = fields.get('role')
    const changed = await changeInvitationRole(seatgate, inOrganization(c), idIn(c), { role })
    return afterAct(c, changed, all(c), 'invitationRoleChanged', { role })
  })
  routes.act('/org/:org/invitations/:id/revoke', all, 'revokedDone', (c) =>
    revokeInvitation(seatgate, inOrganization(c), idIn(c))
  )
}

/** The page of a configuration without a secret for invitations. */
export function noInvitations(setup: Console, routes: Routes): void {
  routes.page('/org/:org/invitations', (c) =>
    showOrganizationPage(setup, c, {
      key: 'invitations',
      content: (words) => <Empty>{words.text('invitationsOff')}</Empty>,
    })
  )
}

function InviteSection({
  setup: { seatgate },
  c,
  words,
  mayAct,
}: {
  setup: Setup
  c: Visit
  words: Words
  mayAct: boolean
}) {
  const { organizationRoles: roles } = c.var
  const open = roles.all.filter((role) => mayInvite(roles, c.var, role)).toReversed()
  const url = pathIn(c, '/invitations')
  return (
    <Section id="invite" title={words.text('inviteMany')}>
      {mayAct ? (
        <Island
          base={baseOf(c)}
          name="bulk-invitations"
          props={{
            url,
            roles: open,
            texts: islandTexts(words, /^(invite(|s.*|Addresses|Many)|role|address|outcome|link)$/),
          }}
        >
          <Form action={url} operation={seatgate.newId()}>
            <Field label={words.text('inviteAddresses')}>
              <textarea name="addresses" rows={4} required spellcheck={false} />
            </Field>
            <div class="line">
              <RoleSelect label={words.text('role')} roles={open} />
              <button class="primary">{words.text('invite')}</button>
            </div>
          </Form>
        </Island>
      ) : (
        <p>
          <button class="primary" disabled>
            {words.text('invite')}
          </button>{' '}
          {words.text('inviteForbidden')}
        </p>
      )}
    </Section>
  )
}

function Outcomes({ rows, words }: { rows: readonly InvitedRow[]; words: Words }) {
  const count = rows.filter(({ invited }) => invited).length
  return (
    <section aria-label={words.text('outcome')}>
      <p role="status">{words.text('invitesOutcome', { count, all: rows.length })}</p>
      <p class="soft">{words.text('linkOnce')}</p>
      <Table
        words={words}
        caption={words.text('outcome')}
        head={['address', 'outcome', 'link']}
        rows={rows.map(({ email, invited, words: said, link }) => [
          <Name>{email}</Name>,
          <span class={invited ? 'good' : 'bad'}>
            {invited ? '✓' : '✗'} {said}
          </span>,
          link !== undefined && (
            <input readonly value={link} aria-label={`${words.text('link')}: ${email}`} />
          ),
        ])}
      />
    </section>
  )
}

function rowsOf(
  { seatgate }: Setup,
  c: Visit,
  words: Words,
  emails: readonly string[],
  outcomes: InvitationOutcomes
): readonly InvitedRow[] {
  const { url } = seatgate.invitations
  const { origin } = new URL(c.req.url)
  const link = url ?? ((token: string) => `${origin}${baseOf(c)}/invitation#token=${token}`)
  return outcomes.map((outcome, index) => {
    if (outcome.ok) {
      const { email, token } = outcome.value
      return { email, invited: true, words: words.text('invited'), link: link(token) }
    }
    const email = emails[index] ?? ''
    return { email, invited: false, words: refusalLine(outcome.error, words) }
  })
}

function Acts({
  setup: { seatgate },
  c,
  words,
  invitation,
}: {
  setup: Setup
  c: Visit
  words: Words
  invitation: Invitation
}) {
  const { organizationRoles: roles } = c.var
  const { id, email, role } = invitation
  const to = (act: string) => pathIn(c, `/invitations/${encodeURIComponent(id)}/${act}`)
  const open = roles.all.filter((one) => mayInvite(roles, c.var, one))
  return (
    <>
      <Dialog
        id={`invitation-${id}`}
        open={words.text('manage')}
        label={words.text('manageMember', { name: email })}
        title={<Name>{email}</Name>}
        cancel={words.text('close')}
      >
        <Form action={to('resend')} operation={seatgate.newId()}>
          <button aria-label={words.text('resendFor', { email })}>{words.text('resend')}</button>
        </Form>
        <Form action={to('role')}>
          <RoleSelect label={words.text('role')} roles={open} role={role} />
          <button>{words.text('roleChange')}</button>
        </Form>
      </Dialog>{' '}
      <Dialog
        id={`revoke-${id}`}
        open={words.text('revoke')}
        label={words.text('revokeFor', { email })}
        title={words.say('revokeSure', { email: <Name>{email}</Name> })}
        cancel={words.text('cancel')}
        grave
      >
        <p>{words.text('revokeHelp')}</p>
        <Form action={to('revoke')}>
          <button class="grave">{words.text('revoke')}</button>
        </Form>
      </Dialog>
    </>
  )
}
