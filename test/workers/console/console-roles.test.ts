import { describe, expect, it } from 'vitest'
import { german, rolePages, seatgateConsole } from '../../../src/console/index.ts'
import { createInvitation } from '../../../src/index.ts'
import { createKit, createRolesKit, person, postMember, SECRET, unwrap } from '../../kit/index.ts'
import { leads, mounted, shownAfter } from './console-kit.ts'

const AUDITOR = { name: 'auditor', 'right audit:read': 'yes', 'right project:read': 'yes' }

/** A console with roles over an organization with an owner, an administrator and a member. */
async function withRoles(...options: Parameters<typeof createRolesKit>) {
  const [kitOptions, own] = options
  const kit = createRolesKit({ secret: SECRET, ...kitOptions }, own)
  const [owner, admin, member] = [await person(), await person(), await person()]
  const pages = mounted(kit.context, { sections: [rolePages], languages: [german] })
  const created = await pages.post('/new', owner, { name: 'Roled' })
  const slug = leads(created).split('/')[2] ?? ''
  const organization = { id: slug } as Parameters<typeof postMember>[0]
  await postMember(organization, owner, admin, 'admin')
  await postMember(organization, owner, member)
  const path = `/org/${slug}/roles`
  const read = async (page = path) => (await pages.get(page, owner)).text()
  const submit = (page: string, fields: Record<string, string>, who = owner) =>
    shownAfter(pages, page, who, fields)
  return { kit, owner, admin, member, pages, slug, path, read, submit }
}

/** The permissions that the boxes of a page have ticked. */
const ticked = (html: string) =>
  [...html.matchAll(/name="right ([^"]+)" value="yes" checked/g)].map(([, name]) => name)

describe('the pages of roles', () => {
  it('make a role, list it with the number of its uses, and change it, in two trips a page', async () => {
    const { kit, owner, pages, slug, path, read, submit } = await withRoles()
    expect(await read()).toContain('3 roles')
    expect(await submit(path, AUDITOR)).toContain('The role was created.')
    const scope = { caller: { userId: owner.userId }, organization: slug }
    const invitation = { email: 'ann@example.com', role: 'auditor' }
    unwrap(await createInvitation(kit.context, scope, invitation))
    const list = await read()
    expect(list).toMatch(/auditor<\/a>.*audit:read, project:read.*1 open invitation/)
    for (const page of [path, `${path}/auditor`]) {
      const before = kit.trips()
      expect((await pages.get(page, owner)).headers.get('cache-control')).toBe('no-store')
      expect(kit.trips() - before).toBeLessThanOrEqual(2)
    }
    expect(ticked(await read(`${path}/auditor`))).toEqual(['audit:read', 'project:read'])
    const changed = { name: 'reader', 'right project:read': 'yes' }
    expect(await submit(`${path}/auditor`, changed)).toContain('The role was changed')
    expect(ticked(await read(`${path}/reader`))).toEqual(['project:read'])
    expect((await pages.get(`${path}/auditor`, owner)).status).toBe(404)
  })

  it('delete a role, and ask for a replacement while it is in use', async () => {
    const { owner, pages, slug, path, read, submit } = await withRoles()
    await submit(path, AUDITOR)
    const auditor = await person()
    const organization = { id: slug } as Parameters<typeof postMember>[0]
    const body = { role: 'auditor' }
    await postMember(organization, owner, auditor)
    await pages.post(`/org/${slug}/members/${auditor.userId}/role`, owner, body)
    const remove = `${path}/auditor/delete`
    const refused = await submit(remove, { replacement: '' })
    expect(refused).toContain('data-refusal="role_in_use"')
    expect(refused).toContain('Choose a replacement for the role.')
    expect(refused).toMatch(/In use by: 1 member</)
    expect([...refused.matchAll(/<option value="([^"]*)"/g)].map(([, role]) => role)).toEqual([
      'admin',
      'member',
    ])
    expect(await submit(remove, { replacement: 'member' })).toContain('The role was deleted.')
    expect(await read(`/org/${slug}/members`)).not.toContain('auditor')
    await submit(path, AUDITOR)
    expect(await read(`${path}/auditor`)).toContain('<option value="">None</option>')
    expect(await submit(remove, {})).toContain('The role was deleted.')
    // A second click, or another person: it is not there any more.
    expect(await submit(remove, {})).toContain('data-refusal="not_found"')
  })

  it('name the remedy for a name, a limit, and rights that the person does not have', async () => {
    const { admin, path, submit } = await withRoles({}, { limit: 1 })
    expect(await submit(path, { name: 'Great <b>' })).toContain('data-refusal="validation_error"')
    expect(await submit(path, { name: 'admin' })).toContain('This role already exists.')
    const much = { name: 'chief', 'right billing:manage': 'yes' }
    expect(await submit(path, much, admin)).toContain('You can give only rights that you have.')
    expect(await submit(path, AUDITOR)).toContain('The role was created.')
    const further = await submit(path, { name: 'further' })
    expect(further).toContain('The organization has reached its limit of roles.')
  })

  it('offer the rights that the person has, and keep those that the role has', async () => {
    const { admin, pages, path, submit } = await withRoles()
    await submit(path, { name: 'biller', 'right billing:manage': 'yes' })
    const as = async (page: string) => (await pages.get(page, admin)).text()
    expect(await as(path)).not.toContain('right billing:manage')
    expect(ticked(await as(`${path}/biller`))).toEqual(['billing:manage'])
    const kept = { name: 'biller', 'right billing:manage': 'yes', 'right project:read': 'yes' }
    expect(await submit(`${path}/biller`, kept, admin)).toContain('The role was changed')
    expect(ticked(await as(`${path}/biller`))).toEqual(['billing:manage', 'project:read'])
    // Not an option: the administrator does not have all that it gives.
    await submit(path, { name: 'spare' })
    expect(await as(`${path}/spare`)).not.toContain('<option value="biller"')
  })

  it('are refused to a member, without a link to them, and are absent for a stranger', async () => {
    const { member, pages, path, slug, submit } = await withRoles()
    await submit(path, AUDITOR)
    const stranger = await person()
    for (const page of [path, `${path}/auditor`]) {
      expect((await pages.get(page, member)).status).toBe(403)
      const absent = await pages.get(page, stranger)
      expect([absent.status, await absent.text()]).toEqual([
        404,
        expect.not.stringContaining('auditor'),
      ])
    }
    expect(await (await pages.get(`/org/${slug}/members`, member)).text()).not.toContain(path)
    for (const act of [path, `${path}/auditor`, `${path}/auditor/delete`]) {
      const refused = await pages.post(act, member, { ...AUDITOR, name: 'other' })
      expect(refused.headers.get('set-cookie')).toContain('insufficient_role')
      expect((await pages.post(act, stranger, AUDITOR)).status).toBe(404)
      const forged = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      expect((await pages.post(act, member, AUDITOR, forged)).status).toBe(403)
    }
  })

  it('are in German', async () => {
    const { owner, pages, path } = await withRoles()
    const response = await pages.get(path, owner, { 'accept-language': 'de' })
    expect(await response.text()).toContain('Rolle anlegen')
  })

  it('need ownRoles', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [rolePages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
  })
})
