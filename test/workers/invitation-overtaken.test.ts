import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { acceptInvitation, changeInvitationRole, createInvitation } from '../../src/index.ts'
import { expectSound, ledgerOf, passTime } from './faults.ts'
import { createInvitingWorld, invite, userWith } from './invited.ts'
import { add, answered, codeOf, enforcing, newOrganization } from './world.ts'

afterEach(() => {
  vi.useRealTimers()
})

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

describe.each(enforcing)('what has changed since it was read, %s seats', (provider) => {
  it('INV-72 who accepts while the role is changed gets the new one', async () => {
    const calm = createInvitingWorld({ provider })
    const organization = await newOrganization(calm, 2)
    const invited = await invite(calm, organization)
    const userId = await userWith(invited.email)
    let isFirst = true
    const world = createInvitingWorld({
      provider,
      async around({ asked }, run) {
        if (isFirst && asked.some((sql) => sql.startsWith('insert into "memberships"'))) {
          isFirst = false
          const role = { role: 'admin' }
          const asOwner = organization.as(organization.owner)
          answered(await changeInvitationRole(calm.seatgate, asOwner, invited.id, role))
        }
        return run()
      },
    })
    const accepted = answered(
      await acceptInvitation(world.seatgate, { caller: { userId } }, invited)
    )
    expect(accepted.membership.role).toBe('admin')
    await Promise.all([calm.settled(), world.settled()])
    await expectSound(organization.id, true)
  })

  it('MUSEUM-12 who is invited again after the seat was somebody else’s needs another', async () => {
    const world = createInvitingWorld({ provider })
    const organization = await newOrganization(world, 2)
    const { email } = await invite(world, organization)
    passTime(WEEK_MS + 61_000)
    if (provider === 'ledger') await runDurableObjectAlarm(ledgerOf(organization))
    expect(codeOf(await add(world, organization))).toBe('ok')
    await world.settled()
    const asOwner = organization.as(organization.owner)
    const again = await createInvitation(world.seatgate, asOwner, { email, role: 'member' })
    expect(codeOf(again)).toBe('seat_limit_reached')
    await expectSound(organization.id, true)
  })
})
