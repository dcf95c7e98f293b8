import { mayChangeRole } from '../../engine/access/roles.ts'
import { userIdOf } from '../../engine/access/principal.ts'
import { changeRole } from '../../operations/memberships/change-role.ts'
import { listMembers, type Member } from '../../operations/memberships/list.ts'
import { leaveOrganization, removeMember } from '../../operations/memberships/remove.ts'
import { restoreMember } from '../../operations/memberships/restore.ts'
import { suspendMember } from '../../operations/memberships/suspend.ts'
import { transferOwnership } from '../../operations/memberships/transfer-ownership.ts'
import {
  Confirm,
  Dialog,
  Empty,
  Field,
  Form,
  Name,
  Pages,
  Person,
  RoleSelect,
  Table,
  Time,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import { ProofField, proofIn } from '../proof-field.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  granted,
  homeOf,
  inOrganization,
  may,
  onlyIf,
  pageIn,
  pathIn,
  readFields,
  withOutcome,
  type Console,
  type Visit,
} from '../visit.ts'

// Those among whom a new owner is found.
const CANDIDATES = 200

/** The pages of members. */
export function memberPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup
  const { roles } = seatgate
  const all = (c: Visit) => pathIn(c, '/members')

  routes.page('/org/:org/members', async (c) => {
    const cursor = c.req.query('cursor')
    const search = c.req.query('search')?.trim() || undefined
    const page = granted(
      await listMembers(seatgate, inOrganization(c), {
        ...pageIn(c),
        ...(search !== undefined && { search }),
      })
    )
    const members = page.data
    const whole = cursor === undefined && search === undefined && page.nextCursor === null
    const owners = members.filter(({ role, status }) => role === roles.owner && status === 'active')
    const mayAct = may(c, 'members:manage')
    const caption = search !== undefined ? 'membersFound' : whole ? 'membersCount' : 'membersNewest'
    return showOrganizationPage(setup, c, {
      key: 'members',
      content: (words) => (
        <>
          <section aria-label={words.text('members')}>
            <form method="get" action={all(c)} class="line" role="search">
              <Field label={words.text('membersSearch')}>
                <input type="search" name="search" value={search} maxlength={100} />
              </Field>
              <button>{words.text('search')}</button>
            </form>
            {members.length === 0 ? (
              <Empty>
                {words.say('membersNoneFound', { search: <Name>{search ?? ''}</Name> })}
              </Empty>
            ) : (
              <Table
                words={words}
                caption={words.text(caption, { count: members.length })}
                head={[
                  'name',
                  'role',
                  'status',
                  'since',
                  'lastActive',
                  ...(mayAct ? (['actions'] as const) : []),
                ]}
                rows={members.map((member) => [
                  <>
                    <Person user={member.user} words={words} />
                    {userIdOf(c.var.caller) === member.userId && <small>{words.text('you')}</small>}
                  </>,
                  member.role,
                  <span class={member.status === 'active' ? 'badge good' : 'badge warn'}>
                    {words.text(member.status)}
                  </span>,
                  <Time at={member.createdAt} words={words} day />,
                  member.lastActiveAt === null ? (
                    words.text('never')
                  ) : (
                    <Time at={member.lastActiveAt} words={words} />
                  ),
                  <Acts
                    setup={setup}
                    c={c}
                    words={words}
                    member={member}
                    isLastOwner={whole && owners.length === 1 && owners[0] === member}
                  />,
                ])}
              />
            )}
            <Pages path={all(c)} c={c} next={page.nextCursor} query={{ search }} words={words} />
          </section>
          <p class="pages">
            <Dialog
              id="leave"
              open={words.text('leave')}
              label={words.text('leave')}
              title={words.say('leaveSure', {
                organization: <Name>{c.var.organization.name}</Name>,
              })}
              cancel={words.text('cancel')}
              grave
            >
              <p>{words.text('leaveHelp')}</p>
              <Form action={pathIn(c, '/leave')} operation={seatgate.newId()}>
                <button class="grave">{words.text('leave')}</button>
              </Form>
            </Dialog>
          </p>
        </>
      ),
    })
  })

  routes.form('/org/:org/members/:userId/role', async (c) => {
    const fields = await readFields(c)
    const role = fields.get('role')
    const changed = await changeRole(seatgate, inOrganization(c), memberIn(c), { role })
    return afterAct(c, changed, all(c), 'roleChanged', { role })
  })
  routes.act('/org/:org/members/:userId/suspend', all, 'suspendedDone', (c, fields) =>
    suspendMember(seatgate, inOrganization(c), memberIn(c), fields.options)
  )
  routes.act('/org/:org/members/:userId/restore', all, 'restoredDone', (c, fields) =>
    restoreMember(seatgate, inOrganization(c), memberIn(c), fields.options)
  )
  routes.act('/org/:org/members/:userId/remove', all, 'removedDone', (c, fields) =>
    removeMember(seatgate, inOrganization(c), memberIn(c), fields.options)
  )

  // With the organization, for its name in the message, and the caller, for the member.
  routes.organizationForm('/org/:org/leave', async (c) => {
    const { options } = await readFields(c)
    const { caller, organization } = c.var
    const left = await leaveOrganization(seatgate, { ...inOrganization(c), caller }, options)
    const to = left.ok ? homeOf(c) : all(c)
    return afterAct(c, left, to, 'leftDone', { organization: organization.name })
  })

  routes.page('/org/:org/transfer/:userId', async (c) => {
    onlyIf(c.var.role === roles.owner)
    const { data } = granted(await listMembers(seatgate, inOrganization(c), { limit: CANDIDATES }))
    const user = data.find(({ userId }) => userId === memberIn(c))?.user
    const { organization } = c.var
    const name = <Name>{user?.name ?? user?.email ?? memberIn(c)}</Name>
    return showOrganizationPage(setup, c, {
      key: 'transfer',
      content: (words) => (
        <section class="danger narrow" aria-labelledby="transfer">
          <h2 id="transfer">{words.say('transferTo', { name })}</h2>
          <Form
            action={pathIn(c, `/transfer/${encodeURIComponent(memberIn(c))}`)}
            operation={seatgate.newId()}
          >
            <p>
              {words.say('transferHelp', { name, organization: <Name>{organization.name}</Name> })}
            </p>
            {user?.name && (
              <p class="soft">
                <Name>{user.email}</Name>
              </p>
            )}
            <RoleSelect
              label={words.text('yourRole')}
              roles={c.var.organizationRoles.all.filter((role) => role !== roles.owner)}
            />
            <Confirm words={words} text={<code>{organization.slug}</code>} />
            <input type="hidden" name="expected" value={organization.slug} />
            <ProofField setup={setup} words={words} />
            <p class="line">
              <button class="grave">{words.text('transfer')}</button>
              <a href={all(c)}>{words.text('cancel')}</a>
            </p>
          </Form>
        </section>
      ),
    })
  })

  routes.form('/org/:org/transfer/:userId', async (c) => {
    const fields = await readFields(c)
    if (fields.get('confirm') !== fields.get('expected')) {
      const to = pathIn(c, `/transfer/${encodeURIComponent(memberIn(c))}`)
      return withOutcome(c, { kind: 'wrong', key: 'typedWrong' }, to)
    }
    const transferred = await transferOwnership(
      seatgate,
      inOrganization(c),
      { userId: memberIn(c), role: fields.get('role'), ...proofIn(setup, fields) },
      fields.options
    )
    const back = pathIn(c, `/transfer/${encodeURIComponent(memberIn(c))}`)
    return afterAct(c, transferred, transferred.ok ? all(c) : back, 'transferredDone')
  })
}

function memberIn(c: Visit): string {
  return c.req.param('userId') ?? ''
}

function Acts({
  setup: { seatgate },
  c,
  words,
  member,
  isLastOwner,
}: {
  setup: Console
  c: Visit
  words: Words
  member: Member
  isLastOwner: boolean
}) {
  const { role, organization, organizationRoles: roles } = c.var
  const name = <Name>{member.user?.name ?? member.user?.email ?? words.text('unknownUser')}</Name>
  const to = (act: string) => pathIn(c, `/members/${encodeURIComponent(member.userId)}/${act}`)
  const mayChange = mayChangeRole(roles, c.var, member.role, null)
  const why = isLastOwner ? 'lastOwner' : mayChange ? null : 'onlyOwner'
  const off = why !== null
  const open = roles.all.filter((one) => mayChangeRole(roles, c.var, member.role, one))
  const isActive = member.status === 'active'
  return (
    <Dialog
      id={`member-${member.id}`}
      open={words.text('manage')}
      label={words.text('manageMember', {
        name: member.user?.email ?? words.text('unknownUser'),
      })}
      title={name}
      cancel={words.text('close')}
    >
      {why !== null && <p class="warn">{words.text(why)}</p>}
      <Form action={to('role')}>
        <RoleSelect label={words.text('role')} roles={open} role={member.role} />
        <button disabled={off}>{words.text('roleChange')}</button>
      </Form>
      <Form action={to(isActive ? 'suspend' : 'restore')} operation={seatgate.newId()}>
        <p>{words.text(isActive ? 'suspendHelp' : 'restoreHelp')}</p>
        <button disabled={off}>{words.text(isActive ? 'suspend' : 'restore')}</button>
      </Form>
      <details>
        <summary>{words.text('remove')}</summary>
        <Form action={to('remove')} operation={seatgate.newId()}>
          <p>
            {words.say('removeSure', { name, organization: <Name>{organization.name}</Name> })}{' '}
            {words.text('removeHelp')}
          </p>
          <button class="grave" disabled={off}>
            {words.text('remove')}
          </button>
        </Form>
      </details>
      {role === roles.owner && member.role !== roles.owner && isActive && (
        <p>
          <a href={pathIn(c, `/transfer/${encodeURIComponent(member.userId)}`)}>
            {words.text('transfer')}
          </a>
        </p>
      )}
    </Dialog>
  )
}
