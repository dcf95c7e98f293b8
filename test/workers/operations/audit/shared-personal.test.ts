/**
 * Requests of one user from one place share a row of personal data, as long as they follow each other.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  createOrganization,
  erasePersonalData,
  listAuditEvents,
  renameOrganization,
  type Scope,
  type Seatgate,
} from '../../../../src/index.ts'
import { newUser, organizationWith, owners, seatgateWith, unwrap } from '../../../kit/index.ts'

const HOUR = 60 * 60 * 1000
const office = { ipAddress: '203.0.113.9', userAgent: 'curl' }
const system = { type: 'system' } as const

async function memberIn(seatgate: Seatgate, organization: string, role: string): Promise<string> {
  const member = { userId: await newUser(), role }
  unwrap(await addMember(seatgate, { caller: system, organization }, member))
  return member.userId
}

async function acme() {
  const clock = { now: Date.UTC(2030, 0, 1) }
  const seatgate = seatgateWith({ now: () => new Date(clock.now) })
  const organization = await organizationWith(seatgate)
  const owner = owners.get(organization)!
  let names = 0
  const rename = async (origin: Scope['origin'], userId = owner) => {
    const scope = { caller: { userId }, organization, origin }
    unwrap(await renameOrganization(seatgate, scope, { name: `Acme ${++names}` }))
  }
  const newest = async (count: number) => {
    const list = await listAuditEvents(seatgate, { caller: system, organization }, { limit: count })
    return unwrap(list).data.toReversed()
  }
  const saltsOf = async (count: number) =>
    (await newest(count)).map((event) => event.personal?.salt)
  return { clock, seatgate, organization, owner, rename, newest, saltsOf }
}

describe('two changes', () => {
  it('of one user from one place have the same row', async () => {
    const { rename, newest, saltsOf } = await acme()
    await rename(office)
    await rename({ ...office })
    const [first, second] = await saltsOf(2)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(second).toBe(first)
    const [before, after] = await newest(2)
    expect(after?.personal).toEqual({ ...office, salt: first })
    expect(after?.personalDigest).toBe(before?.personalDigest)
  })

  it.each<[string, Scope['origin']]>([
    ['another address', { ...office, ipAddress: '203.0.113.10' }],
    ['another user agent', { ...office, userAgent: 'Curl' }],
    ['no user agent', { ipAddress: office.ipAddress }],
    ['no address', { userAgent: office.userAgent }],
  ])('from %s have a row each, and each keeps its own', async (_what, other) => {
    const { rename, newest } = await acme()
    await rename(office)
    await rename(other)
    await rename(office)
    await rename(other)
    const personal = (await newest(4)).map((event) => event.personal)
    const none = { ipAddress: null, userAgent: null }
    expect(personal).toMatchObject([office, { ...none, ...other }, office, { ...none, ...other }])
    expect(new Set(personal.map((data) => data?.salt)).size).toBe(2)
  })

  it('of two users from one place have a row each', async () => {
    const { seatgate, organization, rename, saltsOf } = await acme()
    const admin = await memberIn(seatgate, organization, 'admin')
    await rename(office)
    await rename(office, admin)
    await rename(office)
    const [first, second, third] = await saltsOf(3)
    expect(second).toMatch(/^[0-9a-f]{64}$/)
    expect(second).not.toBe(first)
    expect(third).toBe(first)
  })

  it('of one user in two organizations have a row each', async () => {
    const here = await acme()
    const caller = { userId: here.owner }
    const { id: there } = unwrap(
      await createOrganization(here.seatgate, { caller }, { name: 'Other' })
    )
    const scope = { caller, organization: there, origin: office }
    await here.rename(office)
    unwrap(await renameOrganization(here.seatgate, scope, { name: 'Another' }))
    const list = await listAuditEvents(
      here.seatgate,
      { caller: system, organization: there },
      { limit: 1 }
    )
    const [first] = await here.saltsOf(1)
    expect(unwrap(list).data[0]?.personal).toMatchObject(office)
    expect(unwrap(list).data[0]?.personal?.salt).not.toBe(first)
  })

  it('within an hour have the same row, and later a row each', async () => {
    const { clock, rename, saltsOf } = await acme()
    await rename(office)
    clock.now += HOUR - 1
    await rename(office)
    clock.now += HOUR
    await rename(office)
    const [first, second, third] = await saltsOf(3)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
  })

  it.each([7, 8])(
    'with %i events in between share a row only if these are fewer than 8',
    async (between) => {
      const { seatgate, organization, rename, saltsOf } = await acme()
      const userId = await memberIn(seatgate, organization, 'member')
      await rename(office)
      for (let index = 0; index < between; index++) {
        const role = index % 2 === 0 ? 'admin' : 'member'
        unwrap(await changeRole(seatgate, { caller: system, organization }, userId, { role }))
      }
      await rename(office)
      const salts = await saltsOf(between + 2)
      expect(salts.at(-1) === salts[0]).toBe(between < 8)
    }
  )

  it('around an erasure have a row each, and the first stays erased', async () => {
    const { seatgate, owner, rename, newest } = await acme()
    await rename(office)
    unwrap(await erasePersonalData(seatgate, { caller: system }, owner))
    await rename(office)
    const [first, , second] = await newest(3)
    expect(first?.personal).toBeNull()
    expect(second?.personal).toMatchObject(office)
    expect(second?.personalDigest).not.toBe(first?.personalDigest)
  })
})
