import type { Result } from '../../base/result.ts'
import { typeOfRole } from '../../base/seat-types.ts'
import { takesSeat } from '../../engine/access/roles.ts'
import { createRole } from '../../parts/roles/create-role.ts'
import { deleteRole } from '../../parts/roles/delete-role.ts'
import { listRolesAndUses } from '../../parts/roles/list-roles.ts'
import type { OwnRolesContext } from '../../parts/roles/own-roles.ts'
import type { Role } from '../../parts/roles/role.ts'
import type { RoleUses } from '../../parts/roles/role-uses.ts'
import { updateRole } from '../../parts/roles/update-role.ts'
import { RefusalException } from '../../hono/problem.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Field, Form, Section, Table } from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import { afterActWith, type RefusalTexts } from '../refusal-words.ts'
import { RightField, rightsIn } from '../right-field.tsx'
import type { Routes } from '../routes.ts'
import type { TextKey } from '../texts/en.ts'
import type { Words } from '../texts/languages.ts'
import {
  granted,
  inOrganization,
  may,
  pathIn,
  readFields,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & OwnRolesContext }

const ROLES = '/org/:org/roles'

/** The pages of an organization's roles: all of them, and one of its own. */
export function ownRolePages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const all = (c: Visit) => pathIn(c, '/roles')

  routes.page(ROLES, async (c) => {
    const { data, uses } = granted(await listRolesAndUses(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'roles',
      content: (words) => (
        <>
          <section aria-label={words.text('roles')}>
            <Table
              words={words}
              caption={words.text('rolesCount', { count: data.length })}
              head={['name', 'keyRights', 'status', 'roleUses']}
              rows={data.map(({ name, permissions, own }) => [
                own ? <a href={pathOfRole(c, name)}>{name}</a> : name,
                permissions.join(', ') || words.text('none'),
                words.text(own ? 'roleOwn' : 'roleConfigured'),
                own ? usesIn(uses.get(name), words) : '',
              ])}
            />
          </section>
          <Section id="make" title={words.text('roleMake')}>
            <p>{words.text('roleHelp')}</p>
            <Form action={all(c)} operation={seatgate.newId()}>
              <RoleFields setup={setup} c={c} words={words} />
              <p>
                <button class="primary">{words.text('roleMake')}</button>
              </p>
            </Form>
          </Section>
        </>
      ),
    })
  })

  routes.organizationForm(ROLES, async (c) => {
    const fields = await readFields(c)
    const permissions = rightsIn(fields, seatgate.roles.permissions)
    const input = { name: fields.get('name').trim(), permissions }
    const made = await createRole(seatgate, inOrganization(c), input, fields.options)
    return afterRole(c, made, all(c), 'roleMade')
  })

  routes.page(`${ROLES}/:name`, async (c) => {
    const { data, uses } = granted(await listRolesAndUses(seatgate, inOrganization(c)))
    const role = data.find(({ name, own }) => own && name === nameIn(c))
    if (role === undefined) throw new RefusalException({ code: 'not_found' })
    const { name } = role
    const used = uses.get(name)
    return showOrganizationPage(setup, c, {
      key: 'roles',
      content: (words) => (
        <>
          <Section id="role" title={words.text('roleEdit', { name })}>
            <p>
              {words.text('roleUses')}: {usesIn(used, words)}
            </p>
            <Form action={pathOfRole(c, name)} operation={seatgate.newId()}>
              <RoleFields setup={setup} c={c} words={words} role={role} />
              <p class="line">
                <button class="primary">{words.text('save')}</button>
                <a href={all(c)}>{words.text('cancel')}</a>
              </p>
            </Form>
          </Section>
          <Section id="delete" title={words.text('roleDelete')} grave>
            <Form action={pathOfRole(c, name, '/delete')} operation={seatgate.newId()}>
              <p>{words.text('roleDeleteHelp')}</p>
              <Field label={words.text('roleReplacement')}>
                <select name="replacement">
                  {!used && <option value="">{words.text('none')}</option>}
                  {data
                    .filter((other) => other.name !== name && mayReplace(setup, c, other))
                    .map((other) => (
                      <option value={other.name}>{other.name}</option>
                    ))}
                </select>
              </Field>
              <button class="grave">{words.text('roleDelete')}</button>
            </Form>
          </Section>
        </>
      ),
    })
  })

  routes.organizationForm(`${ROLES}/:name`, async (c) => {
    const fields = await readFields(c)
    const permissions = rightsIn(fields, seatgate.roles.permissions)
    const input = { name: fields.get('name').trim(), permissions }
    const scope = inOrganization(c)
    const saved = await updateRole(seatgate, scope, nameIn(c), input, fields.options)
    return afterRole(c, saved, pathOfRole(c, saved.ok ? saved.value.name : nameIn(c)), 'roleSaved')
  })

  routes.organizationForm(`${ROLES}/:name/delete`, async (c) => {
    const fields = await readFields(c)
    const replacement = fields.get('replacement') || undefined
    const scope = inOrganization(c)
    const deleted = await deleteRole(seatgate, scope, nameIn(c), { replacement }, fields.options)
    return afterRole(c, deleted, deleted.ok ? all(c) : pathOfRole(c, nameIn(c)), 'roleDeleted')
  })
}

const nameIn = (c: Visit) => c.req.param('name') ?? ''

const pathOfRole = (c: Visit, name: string, act = '') =>
  pathIn(c, `/roles/${encodeURIComponent(name)}${act}`)

/** Answers a form about a role. */
function afterRole(c: Visit, result: Result<unknown>, to: string, done: TextKey): Response {
  const texts: RefusalTexts = {
    too_many: 'roleLimit',
    ...(may(c, 'organization:update') && { insufficient_role: 'roleNotYours' }),
  }
  // The role was deleted, and its page with it.
  const isGone = !result.ok && result.error.code === 'not_found'
  return afterActWith(c, texts, result, isGone ? pathIn(c, '/roles') : to, done)
}

function mayReplace({ seatgate: { roles } }: Setup, c: Visit, role: Role): boolean {
  const { name, permissions } = role
  const own: readonly string[] = c.var.permissions
  const takesDefaultSeat = takesSeat(roles, name) && typeOfRole(roles, name) === null
  return name !== roles.owner && takesDefaultSeat && permissions.every((each) => own.includes(each))
}

const KINDS: Readonly<Record<string, TextKey>> = {
  members: 'membersCount',
  invitations: 'invitationsCount',
  joinRequests: 'requestsCount',
  inviteLinks: 'linksCount',
  groups: 'groupsCount',
  apiKeys: 'keysCount',
}

function usesIn(uses: RoleUses | null | undefined, words: Words): string {
  if (!uses) return words.text('none')
  return Object.entries(uses)
    .map(([kind, count]) => words.text(KINDS[kind] ?? 'roleUsesOther', { count }))
    .join(', ')
}

/** The name, and the permissions by resource: those of the person, and those that the role has. */
function RoleFields({
  setup: { seatgate },
  c,
  words,
  role = { name: '', permissions: [], own: true },
}: {
  setup: Setup
  c: Visit
  words: Words
  role?: Role
}) {
  const shown: readonly string[] = [...c.var.permissions, ...role.permissions]
  const offered = seatgate.roles.permissions.filter((each) => shown.includes(each))
  const resources = Map.groupBy(offered, (each) => each.slice(0, each.indexOf(':')))
  return (
    <>
      <Field label={words.text('roleName')}>
        <input
          name="name"
          required
          maxlength={32}
          pattern="[a-z][a-z0-9_\-]*"
          autocomplete="off"
          spellcheck={false}
          value={role.name}
        />
      </Field>
      {[...resources].map(([resource, rights]) => (
        <fieldset>
          <legend>{resource}</legend>
          {rights.map((each) => (
            <RightField right={each} checked={role.permissions.includes(each)} />
          ))}
        </fieldset>
      ))}
    </>
  )
}
