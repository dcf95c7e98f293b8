import { describe, expect, it } from 'vitest'
import { german, groupPages, rolePages, seatgateConsole } from '../../../src/console/index.ts'
import { groups } from '../../../src/hono/groups/index.ts'
import { createKit, createRolesKit, person, postMember, SECRET } from '../../kit/index.ts'
import { leads, mounted, readAll, shownAfter } from './console-kit.ts'

/** A console with groups over an organization with an owner, an administrator and a member. */
async function grouped(...options: Parameters<typeof groups>) {
  const part = groups(...options)
  const kit = createRolesKit({ secret: SECRET, groups: part })
  const [owner, admin, member] = [await person(), await person(), await person()]
  const pages = mounted(
    { ...kit.context, groups: part },
    { sections: [groupPages, rolePages], languages: [german] }
  )
  const created = await pages.post('/new', owner, { name: 'Grouped' })
  const slug = leads(created).split('/')[2] ?? ''
  const organization = { id: slug } as Parameters<typeof postMember>[0]
  await postMember(organization, owner, admin, 'admin')
  await postMember(organization, owner, member)
  const path = `/org/${slug}/groups`
  const read = async (page = path) => (await pages.get(page, owner)).text()
  const submit = (page: string, fields: Record<string, string> = {}, who = owner) =>
    shownAfter(pages, page, who, fields)
  /** Makes a group, and returns the path of its page. */
  async function make(name: string, role = ''): Promise<string> {
    const made = await pages.post(path, owner, { name, role })
    return leads(made).split('?')[0] ?? ''
  }
  return { kit, owner, admin, member, pages, slug, path, read, submit, make }
}

describe('the pages of groups', () => {
  it('make a group, change it and delete it, in two trips a page', async () => {
    const { kit, owner, pages, path, read, submit, make } = await grouped()
    expect(await read()).toContain('No groups yet.')
    const page = await make('Design <b>', 'member')
    expect(page).toMatch(/\/groups\/[\w-]{36}$/)
    expect(await read()).toMatch(/<bdi>Design &lt;b&gt;<\/bdi>.*>member<.*>0</)
    for (const each of [path, page, `${page}/members`]) {
      const before = kit.trips()
      const response = await pages.get(each, owner)
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(kit.trips() - before, each).toBeLessThanOrEqual(2)
    }
    const saved = await submit(page, { name: 'Product', role: '' })
    expect(saved).toContain('The group was changed.')
    expect(saved).not.toContain('selected=""')
    expect(await submit(`${page}/delete`)).toContain('The group was deleted.')
    expect((await pages.get(page, owner)).status).toBe(404)
    expect(await submit(`${page}/delete`)).toContain('data-refusal="not_found"')
  })

  it('add members whom the person chooses, and take one out', async () => {
    const { owner, admin, member, read, submit, make } = await grouped()
    const page = await make('Design')
    const offered = await read(`${page}/members`)
    for (const { email } of [owner, admin, member]) expect(offered).toContain(`Add ${email}`)
    expect(await submit(`${page}/members`)).toContain('Choose at least one member.')
    const added = await submit(`${page}/members`, { user0: admin.userId, user7: member.userId })
    expect(added).toContain('The members were added.')
    expect(added).toContain('2 members')
    expect(added).toContain(member.email)
    const removed = await submit(`${page}/members/${member.userId}/remove`)
    expect(removed).toContain('The member was removed from the group.')
    expect(removed).toContain('1 member')
    expect(removed).not.toContain(member.email)
    const again = await submit(`${page}/members/${member.userId}/remove`)
    expect(again).toContain('data-refusal="not_found"')
    expect(await read(`${page}/members?search=${member.email.slice(0, 8)}`)).toContain(member.email)
  })

  it('give the roles that the organization has made, to those who have their rights', async () => {
    const { admin, pages, slug, path, read, submit, make } = await grouped()
    await submit(`/org/${slug}/roles`, { name: 'biller', 'right billing:manage': 'yes' })
    expect(await read()).toContain('<option value="biller">')
    expect(await read()).not.toContain('<option value="owner">')
    const page = await make('Finance', 'biller')
    expect(await read(page)).toContain('<option value="biller" selected="">')
    const html = await (await pages.get(path, admin)).text()
    expect(html).not.toContain('<option value="biller">')
    const refused = await submit(path, { name: 'More', role: 'biller' }, admin)
    expect(refused).toContain('You can give only rights that you have.')
    const taken = await submit(`${page}/members`, { user0: admin.userId }, admin)
    expect(taken).toContain('You can give only rights that you have.')
    expect(await submit(path, { name: 'More', role: 'king' })).toContain('validation_error')
    const used = await submit(`/org/${slug}/roles/biller/delete`)
    expect(used).toMatch(/In use by: 1 group</)
  })

  it('explain an invalid name and the limits', async () => {
    const { admin, member, path, submit, make } = await grouped({ limit: 1, memberLimit: 1 })
    const page = await make('Design')
    expect(await submit(path, { name: 'Second' })).toContain('has reached its limit of groups')
    expect(await submit(page, { name: '  ' })).toContain('data-refusal="validation_error"')
    const chosen = { user0: admin.userId, user1: member.userId }
    expect(await submit(`${page}/members`, chosen)).toContain('Remove members first.')
    await submit(`${page}/delete`)
    await make('Design')
    expect(await submit(path, { name: 'DESIGN' })).toContain('Another group has this name.')
  })

  it('go on to older groups, and to the further members of one', async () => {
    const { kit, owner, pages, slug, path, make } = await grouped({ limit: 200 })
    for (let value = 0; value < 60; value += 1) await make(`Group ${value}`)
    const found = await readAll(pages, owner, path, /<bdi>(Group \d+)</g)
    expect(found.length).toBeGreaterThan(1)
    expect(found.flat().toSorted()).toEqual(
      Array.from({ length: 60 }, (_, value) => `Group ${value}`).toSorted()
    )
    const page = await make('Large')
    const id = page.split('/').at(-1)
    await kit.context.db
      .run(`INSERT INTO seatgate_group_members (organization_id, group_id, user_id, created_at)
      WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 120)
      SELECT (SELECT id FROM seatgate_organizations WHERE slug = '${slug}'), '${id}', 'u' || v, 1 FROM n`)
    const members = await readAll(pages, owner, page, /"row"><code>(u\d+)</g)
    expect(members.length).toBeGreaterThan(1)
    expect(new Set(members.flat()).size).toBe(120)
    expect(members.flat().length).toBe(120)
  })

  it('are refused to a member, who sees no link to them, and are absent for others', async () => {
    const { owner, member, pages, path, slug, make } = await grouped()
    const page = await make('Design')
    const stranger = await person()
    for (const each of [path, page, `${page}/members`]) {
      expect((await pages.get(each, member)).status).toBe(403)
      expect((await pages.get(each, stranger)).status).toBe(404)
    }
    expect(await (await pages.get(`/org/${slug}/members`, member)).text()).not.toContain(path)
    const acts = ['', '/members', '/delete', `/members/${owner.userId}/remove`]
    for (const act of [path, ...acts.map((one) => page + one)]) {
      const fields = { name: 'Other', user0: member.userId }
      const refused = await pages.post(act, member, fields)
      expect(refused.headers.get('set-cookie'), act).toContain('insufficient_role')
      expect((await pages.post(act, stranger, fields)).status).toBe(404)
      const forged = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      expect((await pages.post(act, member, fields, forged)).status).toBe(403)
    }
    const other = await grouped()
    expect(
      (await other.pages.get(`${other.path}/${page.split('/').at(-1)}`, other.owner)).status
    ).toBe(404)
  })

  it('are in German', async () => {
    const { owner, pages, path } = await grouped()
    const response = await pages.get(path, owner, { 'accept-language': 'de' })
    expect(await response.text()).toContain('Gruppe anlegen')
  })

  it('need groups', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [groupPages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
  })
})
