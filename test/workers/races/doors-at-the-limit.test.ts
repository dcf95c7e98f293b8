import { describe, expect, it } from 'vitest'
import {
  billing,
  joinRules,
  rebuildSeats,
  seatUsage,
  setSeatLimit,
  type OverLimitPolicy,
  type Result,
} from '../../../src/index.ts'
import { sweepHandler } from '../../../src/worker/index.ts'
import {
  createKit,
  enforcing,
  EVERY_CHANGE,
  inD1,
  newTeam,
  shareOf,
  unwrap,
} from '../../kit/index.ts'

/** The outcome of a door: its code, or how it let the person in. */
type Outcome = 'seat_limit_reached' | 'in' | 'waits' | 'refused by row'

/** The doors, with the outcome at a full limit and above it. Those with a seat of their own pass. */
const DOORS: Readonly<Record<string, Outcome>> = {
  addMember: 'seat_limit_reached',
  'prepareMember and commitTogether': 'seat_limit_reached',
  restoreMember: 'seat_limit_reached',
  restoreMembers: 'seat_limit_reached',
  createInvitation: 'seat_limit_reached',
  createInvitations: 'refused by row',
  acceptInvitation: 'in',
  acceptInvitationWithSignup: 'in',
  'createInvitation, of somebody who is invited': 'in',
  resendInvitation: 'in',
  'joinOrganization, by its domain': 'seat_limit_reached',
  approveJoinRequest: 'seat_limit_reached',
}

/** What the doors of joining do when the organization has no seat. */
const WHEN_FULL = ['refuse', 'wait'] as const
const WAITING: ReadonlySet<string> = new Set([
  'joinOrganization, by its domain',
  'approveJoinRequest',
])

const POLICIES: readonly OverLimitPolicy[] = ['block_change', 'allow_with_grace', 'suspend_excess']
const STANDINGS = { full: 0, over: 1 } as const

const table = Object.entries(DOORS).flatMap(([door, outcome]) =>
  WHEN_FULL.flatMap((whenFull) =>
    POLICIES.flatMap((whenOver) =>
      (Object.keys(STANDINGS) as (keyof typeof STANDINGS)[]).map((standing) => ({
        door,
        whenFull,
        whenOver,
        standing,
        expected: whenFull === 'wait' && WAITING.has(door) ? ('waits' as const) : outcome,
      }))
    )
  )
)

function outcomeOf(answer: Result<unknown>): string {
  if (!answer.ok) return answer.error.code
  const text = JSON.stringify(answer.value)
  if (text.includes('seat_limit_reached')) return 'refused by row'
  return /"(?:state|outcome)":"(?:waiting|queued)"/.test(text) ? 'waits' : 'in'
}

describe.each(enforcing)('a door at the limit, with %s seats', (provider) => {
  it.each(shareOf(table, 12))(
    '$door is $expected at a $standing limit: $whenFull, $whenOver [SEAT-8 SEAT-45 SEAT-46]',
    async ({ door, whenFull, whenOver, standing, expected }) => {
      const team = await newTeam(provider)
      const { organization } = team
      const kit = createKit({
        provider,
        billing: billing({ plans: {}, whenOver, overGraceDays: 14 }),
        joining: joinRules({
          verifyDomain: () => true,
          whenFull: { domain: whenFull, request: whenFull },
        }),
      })
      const { seatgate } = kit
      const usage = async () => unwrap(await seatUsage(seatgate, organization.asOperator))
      const { held, reserved } = await usage()
      const limit = held + reserved - STANDINGS[standing]
      unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit }))
      await kit.settled()
      const act = EVERY_CHANGE.find(({ name }) => name === door)?.act
      const answer = await act!(seatgate, team)
      await kit.settled()
      expect(outcomeOf(answer)).toBe(expected)
      // No door adds to the seats in use.
      const after = await usage()
      expect(after.held + after.reserved).toBe(held + reserved)
      // The sweep acts on the excess alone, and as the policy says.
      await sweepHandler(seatgate)()
      await kit.settled()
      const swept = await usage()
      const suspended = standing === 'over' && whenOver === 'suspend_excess'
      expect(after.held - swept.held).toBe(suspended ? Math.max(0, after.held - limit) : 0)
    }
  )
})

describe.each(enforcing)('a door of a type of seats, with %s seats', (provider) => {
  it.each(shareOf(Object.entries(DOORS), 4))(
    '%s is %s where the type is full, and no seat of another type is taken [SEAT-30]',
    async (door, expected) => {
      const team = await newTeam(provider)
      const { organization } = team
      // As if the type had been there from the beginning: the seats of these roles are of it.
      for (const table of ['memberships', 'invitations']) {
        await inD1(
          `UPDATE seatgate_${table} SET seat_id = '~light/' || seat_id
           WHERE organization_id = ? AND role = 'member' AND seat_id IS NOT NULL`,
          organization.id
        )
      }
      const typed = (defaultLimit?: number) =>
        createKit({
          provider,
          roles: ['owner', 'admin', 'member'],
          ownerRole: 'owner',
          invitationAdminRoles: ['owner', 'admin'],
          seatTypes: { light: { roles: ['member'], ...(defaultLimit && { defaultLimit }) } },
          joining: joinRules({ verifyDomain: () => true }),
        })
      const before = typed()
      unwrap(await rebuildSeats(before.seatgate, organization.asOperator))
      const usage = async () => unwrap(await seatUsage(before.seatgate, organization.asOperator))
      const { held, reserved: promised, types } = await usage()
      const { held: lightHeld = 0, reserved = 0 } = types?.['light'] ?? {}
      expect(lightHeld).toBeGreaterThan(0)
      const kit = typed(lightHeld + reserved)
      const answer = await EVERY_CHANGE.find(({ name }) => name === door)!.act(kit.seatgate, team)
      await kit.settled()
      expect(outcomeOf(answer)).toBe(expected)
      if (expected === 'seat_limit_reached') {
        expect(answer.ok || answer.error).toMatchObject({ seatType: 'light' })
      }
      // A door adds no seat of any type. The one that replaces an invitation gives it another role.
      const after = await usage()
      const light = after.types?.['light']
      const used = (light?.held ?? 0) + (light?.reserved ?? 0)
      expect(used).toBeLessThanOrEqual(lightHeld + reserved)
      expect(after.held + after.reserved + used).toBe(held + promised + lightHeld + reserved)
    }
  )
})
