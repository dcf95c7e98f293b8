import { describe, expect, it } from 'vitest'
import { apiKeyPages, seatgateConsole } from '../../../src/console/index.ts'
import { createKit, person, postMember, SECRET } from '../../kit/index.ts'
import { createKeysKit, PROJECT } from '../../kit/keys.ts'
import { leads, mounted } from './console-kit.ts'

const READS = { name: 'CI <b>', 'right project:read': 'yes' }

/** A console with API keys over an organization with an owner, an administrator and a member. */
async function keyed(options: Parameters<typeof createKeysKit>[0] = PROJECT) {
  const kit = createKeysKit({ secret: SECRET, ...options })
  const [owner, admin, member] = [await person(), await person(), await person()]
  const pages = mounted(kit.context, { sections: [apiKeyPages] })
  const created = await pages.post('/new', owner, { name: 'Keyed' })
  const slug = leads(created).split('/')[2] ?? ''
  const organization = { id: slug } as Parameters<typeof postMember>[0]
  await postMember(organization, owner, admin, 'admin')
  await postMember(organization, owner, member)
  return { kit, owner, admin, member, pages, slug, path: `/org/${slug}/api-keys` }
}

type World = Awaited<ReturnType<typeof keyed>>

/** The key that a response shows. */
async function keyIn(response: Response): Promise<string> {
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  return /readonly=""[^>]*value="(sg_live_[^"]+)"/.exec(await response.text())?.[1] ?? ''
}

const idIn = (html: string) => /api-keys\/([\w-]+)\/rotate/.exec(html)?.[1] ?? ''

/** The status of a request with a key. */
async function statusOf({ kit, slug }: World, key: string): Promise<number> {
  return (await kit.client.send('GET', `/organizations/${slug}/members`, undefined, key)).status
}

describe('the page of API keys', () => {
  it('makes a key with rights, and shows it once, in two trips a page', async () => {
    const world = await keyed()
    const { kit, owner, pages, path } = world
    expect(await (await pages.get(path, owner)).text()).toContain('No keys yet.')
    const fields = { ...READS, ends: 'yes', operation: crypto.randomUUID() }
    const key = await keyIn(await pages.post(path, owner, fields))
    expect(key).not.toBe('')
    expect(leads(await pages.post(path, owner, fields))).toContain(path)
    const before = kit.trips()
    const list = await (await pages.get(path, owner)).text()
    expect(kit.trips() - before).toBeLessThanOrEqual(2)
    expect(list).toContain('<bdi>CI &lt;b&gt;</bdi>')
    expect(list).toContain('1 key')
    expect(list).toMatch(/>project:read</)
    expect(list).not.toContain(key)
  })

  it('replaces a key with an overlap, and revokes it', async () => {
    const world = await keyed()
    const { owner, pages, path } = world
    const fields = { name: 'CI', 'right members:read': 'yes', 'right members:manage': 'yes' }
    const key = await keyIn(await pages.post(path, owner, fields))
    expect(await statusOf(world, key)).toBe(200)
    const id = idIn(await (await pages.get(path, owner)).text())
    const next = await keyIn(await pages.post(`${path}/${id}/rotate`, owner, { hours: '24' }))
    expect(next).not.toBe(key)
    const list = await (await pages.get(path, owner)).text()
    expect(list).toContain('Replaced')
    expect([await statusOf(world, key), await statusOf(world, next)]).toEqual([200, 200])
    await pages.post(`${path}/${id}/revoke`, owner)
    expect([await statusOf(world, key), await statusOf(world, next)]).toEqual([401, 200])
  })

  it('gives no right that the person does not have', async () => {
    const { owner, admin, pages, path } = await keyed()
    const html = await (await pages.get(path, admin)).text()
    expect(html).toContain('right project:write')
    expect(html).not.toContain('right organization:delete')
    await pages.post(path, admin, { name: 'Much', 'right organization:delete': 'yes' })
    expect(await (await pages.get(path, owner)).text()).toContain('No keys yet.')
  })

  it('refuses an input that is not valid', async () => {
    const { owner, pages, path } = await keyed()
    for (const fields of [{ name: 'None' }, { ...READS, expires: 'soon' }, { ...READS, name: '' }])
      expect((await pages.post(path, owner, fields)).headers.get('set-cookie')).toContain(
        'validation_error'
      )
    await pages.post(path, owner, READS)
    const id = idIn(await (await pages.get(path, owner)).text())
    const wrong = await pages.post(`${path}/${id}/rotate`, owner, { hours: '' })
    expect(wrong.headers.get('set-cookie')).toContain('validation_error')
  })

  it('gives roles where no permissions are configured', async () => {
    const { owner, pages, path } = await keyed({})
    expect(await (await pages.get(path, owner)).text()).toMatch(/<option value="admin"/)
    expect(await keyIn(await pages.post(path, owner, { name: 'CI', role: 'admin' }))).not.toBe('')
  })

  it('is refused to a member, without a link to it, and is absent for a stranger', async () => {
    const { member, pages, path, slug } = await keyed()
    expect((await pages.get(path, member)).status).toBe(403)
    expect(await (await pages.get(`/org/${slug}/members`, member)).text()).not.toContain(path)
    const refused = await pages.post(path, member, READS)
    expect(refused.headers.get('set-cookie')).toContain('insufficient_role')
    const stranger = await person()
    for (const response of [
      await pages.get(path, stranger),
      await pages.post(path, stranger, READS),
    ])
      expect(response.status).toBe(404)
  })

  it('needs keys', () => {
    const { seatgate } = createKit({ secret: SECRET })
    const options = { authenticate: () => null, sections: [apiKeyPages] }
    expect(() => seatgateConsole(seatgate, options)).toThrow(TypeError)
  })
})
