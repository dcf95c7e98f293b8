import { mayChangeRole } from '../../engine/access/roles.ts'
import type { NamedUser } from '../../engine/model/named-users.ts'
import { listMembers } from '../../operations/memberships/list.ts'
import { addToGroup } from '../../parts/groups/add-to-group.ts'
import { createGroup } from '../../parts/groups/create-group.ts'
import { deleteGroup } from '../../parts/groups/delete-group.ts'
import type { Group } from '../../parts/groups/group.ts'
import type { GroupsContext } from '../../parts/groups/groups.ts'
import { listGroupAndMembers } from '../../parts/groups/list-group-members.ts'
import { listGroups } from '../../parts/groups/list-groups.ts'
import { removeFromGroup } from '../../parts/groups/remove-from-group.ts'
import { updateGroup } from '../../parts/groups/update-group.ts'
import type { Result } from '../../base/result.ts'
import type { Seatgate } from '../../seatgate.ts'
import {
  Back,
  Dialog,
  Field,
  Form,
  Name,
  Pages,
  Person,
  Section,
  Table,
  Time,
  UserById,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import { afterActWith, type RefusalTexts } from '../refusal-words.ts'
import type { Routes } from '../routes.ts'
import type { TextKey } from '../texts/en.ts'
import type { Words } from '../texts/languages.ts'
import {
  granted,
  inOrganization,
  may,
  onlyIf,
  pageIn,
  pathIn,
  readFields,
  withOutcome,
  type Console,
  type Fields,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & GroupsContext }

const GROUPS = '/org/:org/groups'
/** The most members that a page offers, and that one form adds. */
const OFFERED = 50

/** The pages of an organization's groups: all of them, one with its members, and those whom it may take. */
export function memberGroupPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const all = (c: Visit) => pathIn(c, '/groups')

  routes.page(GROUPS, async (c) => {
    onlyIf(may(c, 'members:manage'))
    const page = granted(await listGroups(seatgate, inOrganization(c), pageIn(c)))
    return showOrganizationPage(setup, c, {
      key: 'groups',
      content: (words) => (
        <>
          <Section id="make" title={words.text('groupMake')}>
            <p>{words.text('groupHelp')}</p>
            <Form action={all(c)} operation={seatgate.newId()}>
              <GroupFields c={c} words={words} />
              <p>
                <button class="primary">{words.text('groupMake')}</button>
              </p>
            </Form>
          </Section>
          <section aria-label={words.text('groups')}>
            <Table
              empty="groupsNone"
              words={words}
              caption={words.text('groupsCount', { count: page.data.length })}
              head={['name', 'role', 'members', 'created']}
              rows={page.data.map((group) => [
                <a href={pathOfGroup(c, group.id)}>
                  <Name>{group.name}</Name>
                </a>,
                group.role ?? words.text('none'),
                words.number(group.members),
                <Time at={group.createdAt} words={words} day />,
              ])}
            />
            <Pages path={all(c)} c={c} next={page.nextCursor} words={words} />
          </section>
        </>
      ),
    })
  })

  routes.organizationForm(GROUPS, async (c) => {
    const fields = await readFields(c)
    const made = await createGroup(seatgate, inOrganization(c), groupIn(fields), fields.options)
    return afterGroup(c, made, made.ok ? pathOfGroup(c, made.value.id) : all(c), 'groupMade')
  })

  routes.page(`${GROUPS}/:id`, async (c) => {
    onlyIf(may(c, 'members:manage'))
    const listed = await listGroupAndMembers(seatgate, inOrganization(c), idIn(c), pageIn(c))
    const { group, data, users, nextCursor } = granted(listed)
    const path = pathOfGroup(c, group.id)
    return showOrganizationPage(setup, c, {
      key: 'groups',
      content: (words) => (
        <>
          <section aria-labelledby="group">
            <h2 id="group">
              <Name>{group.name}</Name>
            </h2>
            <Form action={path} operation={seatgate.newId()}>
              <GroupFields c={c} words={words} group={group} />
              <p class="line">
                <button class="primary">{words.text('save')}</button>
                <Back to={all(c)} words={words} />
              </p>
            </Form>
          </section>
          <Section id="members" title={words.text('members')}>
            <p class="pages">
              <a class="button" href={`${path}/members`}>
                {words.text('groupAdd')}
              </a>
            </p>
            <Table
              empty="groupEmpty"
              words={words}
              caption={words.text('membersCount', { count: group.members })}
              head={['name', 'since', 'actions']}
              rows={data.map(({ userId, addedAt }, index) => [
                <UserById id={userId} users={users} />,
                <Time at={addedAt} words={words} day />,
                <Remove
                  action={`${path}/members/${encodeURIComponent(userId)}/remove`}
                  name={nameOf(userId, users)}
                  id={`remove-${index}`}
                  words={words}
                  newId={seatgate.newId}
                />,
              ])}
            />
            <Pages path={path} c={c} next={nextCursor} words={words} />
          </Section>
          <Section id="delete" title={words.text('groupDelete')} grave>
            <p>{words.text('groupDeleteHelp')}</p>
            <Dialog
              id="delete-group"
              open={words.text('groupDelete')}
              label={words.text('groupDelete')}
              title={<Name>{group.name}</Name>}
              cancel={words.text('cancel')}
              grave
            >
              <Form action={`${path}/delete`} operation={seatgate.newId()}>
                <button class="grave">{words.text('groupDelete')}</button>
              </Form>
            </Dialog>
          </Section>
        </>
      ),
    })
  })

  routes.organizationForm(`${GROUPS}/:id`, async (c) => {
    const fields = await readFields(c)
    const scope = inOrganization(c)
    const saved = await updateGroup(seatgate, scope, idIn(c), groupIn(fields), fields.options)
    return afterGroup(c, saved, pathOfGroup(c, idIn(c)), 'groupSaved')
  })

  routes.organizationForm(`${GROUPS}/:id/delete`, async (c) => {
    const { options } = await readFields(c)
    const deleted = await deleteGroup(seatgate, inOrganization(c), idIn(c), options)
    return afterGroup(c, deleted, all(c), 'groupDeleted')
  })

  routes.page(`${GROUPS}/:id/members`, async (c) => {
    onlyIf(may(c, 'members:manage'))
    const search = c.req.query('search')?.trim() || undefined
    const page = granted(
      await listMembers(seatgate, inOrganization(c), {
        limit: OFFERED,
        ...pageIn(c),
        ...(search !== undefined && { search }),
      })
    )
    const active = page.data.filter(({ status }) => status === 'active')
    const path = pathOfGroup(c, idIn(c), '/members')
    return showOrganizationPage(setup, c, {
      key: 'groups',
      content: (words) => (
        <Section id="add" title={words.text('groupAdd')}>
          <form method="get" action={path} class="line" role="search">
            <Field label={words.text('membersSearch')}>
              <input type="search" name="search" value={search} maxlength={100} />
            </Field>
            <button>{words.text('search')}</button>
          </form>
          <Form action={path} operation={seatgate.newId()}>
            <Table
              empty="none"
              words={words}
              caption={words.text('membersCount', { count: active.length })}
              head={['name', 'role', 'groupTake']}
              rows={active.map(({ userId, user, role }, index) => [
                <Person user={user} words={words} />,
                role,
                <input
                  type="checkbox"
                  name={`user${index}`}
                  value={userId}
                  aria-label={words.text('groupTakeFor', { name: user?.email ?? userId })}
                />,
              ])}
            />
            <p class="line">
              <button class="primary">{words.text('groupAdd')}</button>
              <a href={pathOfGroup(c, idIn(c))}>{words.text('cancel')}</a>
            </p>
          </Form>
          <Pages path={path} c={c} next={page.nextCursor} query={{ search }} words={words} />
        </Section>
      ),
    })
  })

  routes.organizationForm(`${GROUPS}/:id/members`, async (c) => {
    const fields = await readFields(c)
    const userIds = Array.from({ length: OFFERED }, (_, index) =>
      fields.get(`user${index}`)
    ).filter((userId) => userId !== '')
    const path = pathOfGroup(c, idIn(c))
    if (userIds.length === 0) {
      return withOutcome(c, { kind: 'wrong', key: 'groupChoose' }, `${path}/members`)
    }
    const added = await addToGroup(
      seatgate,
      inOrganization(c),
      idIn(c),
      { userIds },
      fields.options
    )
    return afterGroup(c, added, path, 'groupAdded')
  })

  routes.organizationForm(`${GROUPS}/:id/members/:userId/remove`, async (c) => {
    const { options } = await readFields(c)
    const userId = c.req.param('userId') ?? ''
    const removed = await removeFromGroup(seatgate, inOrganization(c), idIn(c), userId, options)
    return afterGroup(c, removed, pathOfGroup(c, idIn(c)), 'groupRemoved')
  })
}

const idIn = (c: Visit) => c.req.param('id') ?? ''

const pathOfGroup = (c: Visit, id: string, page = '') =>
  pathIn(c, `/groups/${encodeURIComponent(id)}${page}`)

/** Answers a form about a group. */
function afterGroup(c: Visit, result: Result<unknown>, to: string, done: TextKey): Response {
  const texts: RefusalTexts = {
    too_many: to.endsWith('/groups') ? 'groupLimit' : 'groupFull',
    ...(may(c, 'members:manage') && { insufficient_role: 'roleNotYours' }),
  }
  return afterActWith(c, texts, result, to, done)
}

function groupIn(fields: Fields) {
  return { name: fields.get('name'), role: fields.get('role') || null }
}

function nameOf(userId: string, users: readonly NamedUser[]): string {
  const user = users.find(({ id }) => id === userId)
  return user?.name ?? user?.email ?? userId
}

/** The name and the role: those that the person can give, and that of the group. */
function GroupFields({ c, words, group }: { c: Visit; words: Words; group?: Group }) {
  const roles = c.var.organizationRoles
  const current = group?.role ?? ''
  const open = roles.all.filter(
    (role) => role === current || (role !== roles.owner && mayChangeRole(roles, c.var, null, role))
  )
  return (
    <div class="line">
      <Field label={words.text('groupName')}>
        <input name="name" required maxlength={100} autocomplete="off" value={group?.name} />
      </Field>
      <Field label={words.text('role')}>
        <select name="role">
          <option value="">{words.text('none')}</option>
          {open.map((role) => (
            <option value={role} selected={role === current}>
              {role}
            </option>
          ))}
        </select>
      </Field>
    </div>
  )
}

function Remove({
  action,
  name,
  id,
  words,
  newId,
}: {
  action: string
  name: string
  id: string
  words: Words
  newId: () => string
}) {
  return (
    <Dialog
      id={id}
      open={words.text('groupRemoveDo')}
      label={words.text('groupRemove', { name })}
      title={words.say('groupRemove', { name: <Name>{name}</Name> })}
      cancel={words.text('cancel')}
      grave
    >
      <Form action={action} operation={newId()}>
        <button class="grave">{words.text('groupRemoveDo')}</button>
      </Form>
    </Dialog>
  )
}
