import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Around } from '../../../../bench/meter.ts'
import {
  acceptInvitation,
  createInvitation,
  seatUsage,
  type InvitationWithToken,
} from '../../../../src/index.ts'
import {
  expectSound,
  holdingBack,
  ledgerOf,
  losing,
  makesMember,
  muchLater,
  passTime,
  readLedger,
  readState,
  accept,
  createKit,
  invite,
  newAddress,
  userWith,
  add,
  unwrap,
  codeOf,
  enforcing,
  type TestOrganization,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** Until when a ledger has promised its one seat that is not held. */
function promisedUntil(organization: TestOrganization): Promise<number | null> {
  return runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => {
    const [row] = storage.sql
      .exec<{ deadline: number | null }>(
        `SELECT coalesce(claim.value ->> 0, deadline) AS deadline FROM seats, ledger
         LEFT JOIN json_each(claims) AS claim ON claim.key = seat_id
         WHERE coalesce(claim.value ->> 0, deadline) IS NOT NULL`
      )
      .toArray()
    return row?.deadline ?? null
  })
}

const writes =
  (table: string): Around =>
  async ({ asked }, run) => {
    if (asked.some((sql) => sql.startsWith(`insert into "${table}"`))) {
      throw new Error('Network connection lost.')
    }
    return run()
  }

async function loseLedger(organization: TestOrganization): Promise<void> {
  await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => {
    storage.sql.exec('DELETE FROM seats')
    storage.sql.exec('DELETE FROM ledger')
  })
}

/** The last seat of two is a new member's, and their ledger has not heard that they accepted. */
async function unheardAcceptance() {
  const calm = createKit()
  const organization = await calm.organization({ seats: 2 })
  const invited = await invite(calm, organization)
  const deaf = createKit({ around: losing('confirm') })
  expect(codeOf(await accept(deaf, invited))).toBe('ok')
  await deaf.settled()
  return { calm, organization }
}

const atExpiry = ({ expiresAt }: InvitationWithToken) => new Date(expiresAt).getTime()

describe('an invitation that expires', () => {
  it.each(enforcing)(
    'gives its seat back by the clock, %s seats [SEAT-38 MUSEUM-12]',
    async (provider) => {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 3 })
      await invite(kit, organization)
      await invite(kit, organization)
      expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
      passTime(WEEK_MS + 61_000)
      if (provider === 'ledger') {
        expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed').toBe(true)
      }
      const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
      expect(usage).toMatchObject({ held: 1, reserved: 0 })
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await invite(kit, organization)
      await expectSound(organization.id, true)
    }
  )

  it('keeps it for a user who accepted just in time, seats counted in D1 [SEAT-38]', async () => {
    const calm = createKit({ provider: 'd1' })
    const organization = await calm.organization({ seats: 2 })
    const invited = await invite(calm, organization)
    const userId = await userWith(invited.email)
    const { around, reached, letGo } = holdingBack(makesMember)
    const slow = createKit({ provider: 'd1', around })
    const accepting = acceptInvitation(slow.seatgate, { caller: { userId } }, invited)
    await reached
    passTime(WEEK_MS + 5000)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    letGo()
    expect(codeOf(await accepting)).toBe('ok')
    await expectSound(organization.id, true)
  })

  it('keeps it until then, for any number of alarms [SEAT-36]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization)
    expect(await promisedUntil(organization)).toBe(atExpiry(invited))
    passTime(WEEK_MS - 10_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed').toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    expect(codeOf(await accept(kit, invited))).toBe('ok')
    await kit.settled()
    passTime(WEEK_MS)
    await runDurableObjectAlarm(ledgerOf(organization))
    expect(await readLedger(organization.id)).toMatchObject({ held: 2, reserved: 0 })
    await expectSound(organization.id, true)
  })
})

describe('a reserved seat that the ledger did not receive', () => {
  it('is found at its deadline, and kept until the invitation expires [SEAT-16 SEAT-36]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const invited = await invite(createKit({ around: losing('confirm') }), organization)
    expect(await promisedUntil(organization)).toBeLessThan(Date.now() + 31_000)
    await muchLater(organization.id)
    expect((await readState(organization.id)).fences).toEqual([])
    expect(await promisedUntil(organization)).toBe(atExpiry(invited))
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    expect(codeOf(await accept(calm, invited))).toBe('ok')
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('is given up at its deadline if the invitation never came [SEAT-14 SEAT-15]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const crashing = createKit({ around: writes('seatgate_invitations') })
    const asOwner = organization.as(organization.owner)
    const input = { email: newAddress(), role: 'member' }
    const answer = await createInvitation(crashing.seatgate, asOwner, input)
    expect(codeOf(answer)).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
    expect((await readState(organization.id)).fences).toHaveLength(1)
    unwrap(await createInvitation(calm.seatgate, asOwner, input))
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('is held, at the latest when the invitation would have expired, once accepted [SEAT-37]', async () => {
    const { calm, organization } = await unheardAcceptance()
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    passTime(WEEK_MS + 1)
    expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed').toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 2, reserved: 0 })
    expect((await readState(organization.id)).fences).toEqual([])
    await expectSound(organization.id, true)
  })

  it('is asked about soon, once it was presented [SEAT-37]', async () => {
    const { organization } = await unheardAcceptance()
    expect(await promisedUntil(organization)).toBeLessThan(Date.now() + 31_000)
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed').toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 2, reserved: 0 })
    await expectSound(organization.id, true)
  })

  it('stays while its acceptance is lost on the way, which can be repeated [SEAT-37]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const invited = await invite(calm, organization)
    const userId = await userWith(invited.email)
    const scope = { caller: { userId } }
    const crashing = createKit({ around: writes('seatgate_memberships') })
    const lost = await acceptInvitation(crashing.seatgate, scope, invited)
    expect(codeOf(lost)).toBe('seats_unavailable')
    await muchLater(organization.id)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    expect(codeOf(await acceptInvitation(calm.seatgate, scope, invited))).toBe('ok')
    await calm.settled()
    await expectSound(organization.id, true)
  })
})

describe('a ledger that is lost', () => {
  it('finds its promises in D1, and when they end [SEAT-36 SEAT-37]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    const expired = await invite(kit, organization)
    passTime(WEEK_MS + 61_000)
    const later = await invite(createKit({ provider: 'd1' }), organization)
    const before = await readLedger(organization.id)
    await loseLedger(organization)
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ held: 1, reserved: 1, available: 1 })
    expect(await promisedUntil(organization)).toBe(atExpiry(later))
    expect((await readLedger(organization.id))?.epoch).toBeGreaterThan(before?.epoch ?? 0)
    for (const gone of [invited, expired]) {
      expect(codeOf(await accept(kit, gone))).toBe('invitation_expired')
    }
    expect(codeOf(await accept(kit, later))).toBe('ok')
    await kit.settled()
    await expectSound(organization.id, true)
  })

  it('while a user accepts: the old one’s word is not enough [SEAT-37]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const invited = await invite(calm, organization)
    const userId = await userWith(invited.email)
    let attempts = 0
    const kit = createKit({
      async around({ asked }, run) {
        if (asked.some((sql) => sql.startsWith('insert into "seatgate_memberships"'))) {
          attempts += 1
          if (attempts === 1) {
            await loseLedger(organization)
            unwrap(await seatUsage(calm.seatgate, organization.asOperator))
          }
        }
        return run()
      },
    })
    const accepted = await acceptInvitation(kit.seatgate, { caller: { userId } }, invited)
    expect(codeOf(accepted)).toBe('ok')
    expect(attempts).toBe(2)
    await kit.settled()
    await expectSound(organization.id, true)
  })
})
