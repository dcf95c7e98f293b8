import { describe, expect, it } from 'vitest'
import { inviteLinkPages } from '../../../src/console/index.ts'
import { billing, createInvitation, createInviteLink, joinRules } from '../../../src/index.ts'
import { keys, postMember, sinkOf, unwrap } from '../../kit/index.ts'
import { acme, operators, pushed } from './console-kit.ts'

const MOST = 2

/** Every page of an organization, by its path. */
const PAGES = [
  'members',
  'members?search=a',
  'invitations',
  'invitations/links',
  'requests',
  'domains',
  'seats',
  'seats/now',
  'seats/history',
  'seats/at?at=2030-01-01T00:00',
  'billing',
  'audit',
  'audit?action_prefix=seat.',
  'audit/verification',
  'audit/checkpoint',
  'sinks',
  'sinks/stream/attempts',
  'sinks/stream/dead-letters',
  'settings',
]

/** A console with every part, over an organization. */
function everything() {
  return acme(
    {
      auditLogKey: keys.privateKey,
      sinks: [sinkOf('stream')],
      joining: joinRules({ verifyDomain: () => true, links: {} }),
      billing: billing({ plans: { team: { perSeat: true, prices: ['price'] } }, baseSeats: 9 }),
    },
    { sections: [inviteLinkPages], billing: {} as never }
  )
}

type World = Awaited<ReturnType<typeof everything>>

/** Opens a page, which must be there, and returns the trips to D1 until its response. */
async function tripsOf({ kit, pages }: World, path: string, headers: Record<string, string>) {
  await kit.settled()
  const before = kit.trips()
  const response = await pages.get(path, null, headers)
  const trips = kit.trips() - before
  expect(response.status, path).toBe(200)
  return trips
}

const sessionOf = ({ token }: { readonly token: string }) => ({ cookie: `session=${token}` })

describe('a page makes at most two trips to D1, the session included', () => {
  it.each(PAGES)('/org/:org/%s', async (page) => {
    const world = await everything()
    const path = `/org/${world.slug}/${page}`
    expect(await tripsOf(world, path, sessionOf(world.owner))).toBeLessThanOrEqual(MOST)
  })

  it('/org/:org/transfer/:userId', async () => {
    const world = await everything()
    const { owner, member, slug } = world
    await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, member)
    const path = `/org/${slug}/transfer/${member.userId}`
    expect(await tripsOf(world, path, sessionOf(owner))).toBeLessThanOrEqual(MOST)
  })

  it('of operators', async () => {
    const world = await everything()
    operators.add(world.owner.userId)
    const one = `/platform/${world.slug}`
    for (const path of ['/platform', '/platform?search=a', '/platform/health', one, `${one}/seats`])
      expect(await tripsOf(world, path, sessionOf(world.owner)), path).toBeLessThanOrEqual(MOST)
  })

  it('of a person, with and without an invitation or a link', async () => {
    const world = await everything()
    const { kit, owner, member, slug } = world
    const scope = { caller: { userId: owner.userId }, organization: slug }
    const invitation = { email: member.email, role: 'member' }
    const invited = unwrap(await createInvitation(kit.seatgate, scope, invitation))
    const link = unwrap(await createInviteLink(kit.seatgate, scope, { role: 'member', maxUses: 1 }))
    const kept = (page: string, token: string | null) => `seatgate_console_${page}=${token}`
    for (const [path, cookie] of [
      ['?all', ''],
      ['/new', ''],
      ['/invitation', ''],
      ['/invitation', kept('invitation', invited.token)],
      ['/link', ''],
      ['/link', kept('link', link.token)],
    ] as const) {
      const headers = { cookie: `session=${member.token}; ${cookie}` }
      expect(await tripsOf(world, path, headers), path).toBeLessThanOrEqual(MOST)
    }
  })

  it('of the directory', async () => {
    const { kit, owner, pages, path } = await pushed()
    await kit.settled()
    const before = kit.trips()
    expect((await pages.get(path, owner)).status).toBe(200)
    expect(kit.trips() - before).toBeLessThanOrEqual(MOST)
  })
})
