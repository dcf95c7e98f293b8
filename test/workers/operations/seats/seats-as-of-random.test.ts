import { describe, expect, it } from 'vitest'
import {
  renameOrganization,
  resendInvitation,
  restoreMember,
  restoreOrganization,
  revokeInvitation,
  seatsAsOf,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
  type InvitationWithToken,
  type SeatsAsOf,
} from '../../../../src/index.ts'
import { seeded } from '../../../end-to-end/seeded.ts'
import {
  accept,
  invite,
  testEnv,
  unwrap,
  createKit,
  enforcingOr,
  type Way,
  join,
  leave,
  operator,
  PASSWORD,
  atScale,
} from '../../../kit/index.ts'

const STEPS = 80
const DAY = 24 * 60 * 60 * 1000
// Ledgers go by the time that it really is: for them no invitation of these expires.
const START = Date.UTC(2090, 0, 1)

/** What is true after an event, told without the trail. */
interface Moment {
  readonly sequence: number
  readonly recordedAt: number
  readonly live: boolean
  readonly held: number
  readonly limit: number | 'unlimited'
  /** When each open invitation expires. */
  readonly expiries: readonly number[]
}

/** Lives an organization's life at random, and tells what was true after each step. */
async function history(provider: Way['provider'], seed: number) {
  const random = seeded(seed)
  const clock = { now: START }
  const kit = createKit({ provider, now: () => new Date(clock.now) })
  const { seatgate } = kit
  const organization = await kit.organization({ seats: 100 })
  const { id, owner } = organization
  const asOwner = organization.as(owner)
  const seated = new Set<string>()
  const suspended = new Set<string>()
  const open = new Map<string, InvitationWithToken>()
  const moments: Moment[] = []
  let limit: number | 'unlimited' = 100
  let live = true
  const expiryOf = (invitation: InvitationWithToken) => Date.parse(invitation.expiresAt)
  const oneOf = <T>(all: Iterable<T>): T | undefined => {
    const list = [...all]
    return list[random(list.length || 1)]
  }
  const remember = async () => {
    const head = await testEnv.DB.prepare(
      `SELECT sequence, inserted_at AS recordedAt FROM seatgate_audit_events
       WHERE organization_id = ? ORDER BY sequence DESC LIMIT 1`
    )
      .bind(id)
      .first<Pick<Moment, 'sequence' | 'recordedAt'>>()
    const expiries = [...open.values()].map(expiryOf)
    moments.push({ ...head!, live, held: seated.size + 1, limit, expiries })
  }

  const steps: readonly (() => Promise<unknown>)[] = [
    async () => seated.add(await join(kit, organization)),
    async () => seated.add(await join(kit, organization)),
    async () => {
      const member = oneOf([...seated, ...suspended])
      if (member === undefined) return
      unwrap(await leave(kit, organization, member, owner))
      seated.delete(member)
      suspended.delete(member)
    },
    async () => {
      const member = oneOf(seated)
      if (member === undefined) return
      unwrap(await suspendMember(seatgate, asOwner, member))
      seated.delete(member)
      suspended.add(member)
    },
    async () => {
      const member = oneOf(suspended)
      if (member === undefined) return
      unwrap(await restoreMember(seatgate, asOwner, member))
      suspended.delete(member)
      seated.add(member)
    },
    async () => {
      const invitation = await invite(kit, organization)
      open.set(invitation.id, invitation)
    },
    async () => {
      const invitation = await invite(kit, organization)
      open.set(invitation.id, invitation)
    },
    async () => {
      const pending = [...open.values()].filter((each) => expiryOf(each) > clock.now)
      const invitation = oneOf(pending)
      if (invitation === undefined) return
      const { membership } = unwrap(await accept(kit, invitation))
      open.delete(invitation.id)
      seated.add(membership.userId)
    },
    async () => {
      const invitation = oneOf(open.values())
      if (invitation === undefined) return
      open.set(invitation.id, unwrap(await resendInvitation(seatgate, asOwner, invitation.id)))
    },
    async () => {
      const invitation = oneOf(open.values())
      if (invitation === undefined) return
      unwrap(await revokeInvitation(seatgate, asOwner, invitation.id))
      open.delete(invitation.id)
    },
    async () => {
      limit = random(3) === 0 ? 'unlimited' : 100 + random(100)
      unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit }))
    },
    async () => unwrap(await renameOrganization(seatgate, asOwner, { name: `Test ${clock.now}` })),
  ]
  const endAndBegin = async () => {
    unwrap(await renameOrganization(seatgate, asOwner, { name: 'Test' }))
    const confirmed = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(seatgate, asOwner, confirmed))
    await kit.settled()
    open.clear()
    live = false
    await remember()
    // So long that the clock, when it is set back, does not come to before it.
    clock.now += 60 * DAY
    unwrap(await restoreOrganization(seatgate, { caller: operator }, id))
    live = true
  }
  await remember()
  for (let step = 0; step < STEPS; step++) {
    // Now and then the clock is set back.
    clock.now += random(8) === 0 ? -random(4 * DAY) : random(2 * DAY)
    await (step === STEPS / 2 ? endAndBegin() : steps[random(steps.length)]!())
    await kit.settled()
    await remember()
  }
  return { seatgate, id, moments, random }
}

/** What is to be told of an instant: in commit order, all up to the last event that was there by then. */
function told(moments: readonly Moment[], at: number): SeatsAsOf {
  const last = moments.findLast(({ recordedAt }) => recordedAt <= at)
  if (last === undefined) return { status: 'never_existed' }
  if (!last.live) return { status: 'deleted' }
  const { held, limit, sequence, expiries } = last
  const reserved = expiries.filter((expiry) => expiry > at).length
  return { status: 'present', held, reserved, limit, sequence }
}

const SEEDS = atScale({ share: [2], thorough: [2, 3] })
const lives = enforcingOr('ledger').flatMap((provider) => SEEDS.map((seed) => ({ provider, seed })))

describe('seats at any instant of a life at random', () => {
  it.each(lives)(
    'are those of that instant, even if the clock runs back ($provider, $seed) [AUD-43 AUD-44]',
    async ({ provider, seed }) => {
      const { seatgate, id, moments, random } = await history(provider, seed)
      const instants = moments.flatMap(({ recordedAt, expiries }) => [
        recordedAt - 1,
        recordedAt,
        recordedAt + random(DAY),
        ...expiries.flatMap((expiry) => [expiry - 1, expiry]),
      ])
      const scope = { caller: { type: 'system' }, organization: id } as const
      const seen = new Set<string>()
      for (const at of new Set(instants)) {
        const then = unwrap(await seatsAsOf(seatgate, scope, { at: new Date(at) }))
        expect(then, new Date(at).toISOString()).toEqual(told(moments, at))
        seen.add(then.status)
      }
      expect(seen).toEqual(new Set(['never_existed', 'present', 'deleted']))
    }
  )
})
