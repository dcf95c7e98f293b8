import { describe, expect, it } from 'vitest'
import { inviteLinkPages } from '../../../src/console/index.ts'
import { createRole, ownRoles } from '../../../src/hono/roles/index.ts'
import {
  library,
  newAddress,
  newUser,
  person,
  postMember,
  RIGHTS,
  testEnv,
  unwrap,
} from '../../kit/index.ts'
import { acme } from './console-kit.ts'

/** A console over an organization that has made the role `auditor`. */
async function withRole() {
  const part = ownRoles()
  const joining = library.joinRules({ verifyDomain: () => true, links: {} })
  const options = { ...RIGHTS, joining, ownRoles: part }
  const made = await acme(options, { sections: [inviteLinkPages] })
  const context = { ...made.kit.seatgate, ownRoles: part }
  const scope = { caller: { userId: made.owner.userId }, organization: made.slug }
  unwrap(await createRole(context, scope, { name: 'auditor', permissions: ['audit:read'] }))
  return { ...made, context, scope }
}

/** The options of each choice of a role on a page, with the chosen one in brackets. */
async function choices(response: Response): Promise<string[][]> {
  expect(response.status).toBe(200)
  const html = await response.text()
  return html
    .match(/<select name="role">.*?<\/select>/gs)!
    .map((select) =>
      [...select.matchAll(/<option value="([^"]*)"( selected="")?/g)].map(([, value, selected]) =>
        selected ? `[${value}]` : value!
      )
    )
}

describe('a choice of roles', () => {
  it('has those of the organization, and that of the row is chosen', async () => {
    const { pages, slug, owner, scope, context } = await withRole()
    unwrap(await library.addMember(context, scope, { userId: await newUser(), role: 'auditor' }))
    const members = await choices(await pages.get(`/org/${slug}/members`, owner))
    expect(members).toContainEqual(['owner', 'admin', 'member', '[auditor]'])
    unwrap(await library.createInvitation(context, scope, { email: newAddress(), role: 'auditor' }))
    expect(await choices(await pages.get(`/org/${slug}/invitations`, owner))).toEqual([
      ['auditor', 'member', 'admin', 'owner'],
      ['owner', 'admin', 'member', '[auditor]'],
    ])
    expect(await choices(await pages.get(`/org/${slug}/invitations/links`, owner))).toEqual([
      ['auditor', 'member', 'admin'],
    ])
  })

  it('keeps a role that the person cannot give, and a deleted one', async () => {
    const { pages, slug, owner, scope, context } = await withRole()
    const admin = await person()
    await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, admin, 'admin')
    unwrap(await library.addMember(context, scope, { userId: await newUser(), role: 'auditor' }))
    // An administrator has no `audit:read`, so the role is not theirs to give.
    expect(await choices(await pages.get(`/org/${slug}/members`, admin))).toContainEqual([
      '[auditor]',
      'admin',
      'member',
    ])
    await testEnv.DB.prepare('UPDATE seatgate_organizations SET own_roles = NULL WHERE slug = ?')
      .bind(slug)
      .run()
    expect(await choices(await pages.get(`/org/${slug}/members`, owner))).toContainEqual([
      '[auditor]',
      'owner',
      'admin',
      'member',
    ])
  })

  it('of a console without own roles has the configured ones', async () => {
    const { pages, slug, owner } = await acme()
    const [first] = await choices(await pages.get(`/org/${slug}/members`, owner))
    expect(first).toEqual(['[owner]', 'admin', 'member'])
  })
})
