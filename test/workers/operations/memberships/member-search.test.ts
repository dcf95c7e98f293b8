import { describe, expect, it } from 'vitest'
import type { Member, Page } from '../../../../src/index.ts'
import { fullTeam, host, problem, type Person, testEnv } from '../../../kit/index.ts'

const named = ({ userId }: Person, name: string | null) =>
  testEnv.DB.prepare('UPDATE users SET name = ? WHERE id = ?').bind(name, userId).run()

describe('GET /organizations/:org/members?search=', () => {
  it('finds members by the beginning of a name or an address, page by page [ORG-118]', async () => {
    const { owner, admin, member, members } = await fullTeam()
    await named(owner, 'Ada Lovelace')
    await named(admin, 'Adam % Smith')
    await named(member, null)
    const find = async (query: string) => {
      const response = await host.get(`${members}?${query}`, member.token)
      expect(response.status).toBe(200)
      return response.json<Page<Member>>()
    }
    const ids = async (search: string) =>
      (await find(new URLSearchParams({ search }).toString())).data.map(({ userId }) => userId)

    expect((await ids('ada')).toSorted()).toEqual([owner.userId, admin.userId].toSorted())
    expect(await ids('ADAM %')).toEqual([admin.userId])
    expect(await ids('%')).toEqual([])
    expect(await ids('_da')).toEqual([])
    expect(await ids('lovelace')).toEqual([])
    expect(await ids(member.email.slice(0, 30))).toEqual([member.userId])

    const first = await find('search=ada&limit=1')
    expect(first.data).toHaveLength(1)
    const cursor = first.nextCursor
    expect(cursor).not.toBeNull()
    const second = await find(`search=ada&limit=1&cursor=${encodeURIComponent(cursor!)}`)
    expect(second.nextCursor).toBeNull()
    const found = [...first.data, ...second.data].map(({ userId }) => userId)
    expect(new Set(found)).toEqual(new Set([owner.userId, admin.userId]))
  })

  it('shows a stranger no data, nor members of another organization [ORG-118]', async () => {
    const [here, there] = [await fullTeam(), await fullTeam()]
    await named(there.member, 'Grace Hopper')
    const nobody = await host.get(`${here.members}?search=grace`, here.owner.token)
    expect((await nobody.json<Page<Member>>()).data).toEqual([])
    const stranger = await host.get(`${there.members}?search=grace`, here.owner.token)
    expect(await problem(stranger)).toMatchObject({ status: 404, code: 'organization_not_found' })
    // Whether what they typed is valid is nothing that a stranger is told.
    const rubbish = await host.get(`${there.members}?search=`, here.owner.token)
    expect(await problem(rubbish)).toMatchObject({ status: 404, code: 'organization_not_found' })
    const own = await host.get(`${here.members}?search=`, here.owner.token)
    expect(await problem(own)).toEqual({
      status: 422,
      code: 'validation_error',
      fields: ['search'],
    })
  })
})
