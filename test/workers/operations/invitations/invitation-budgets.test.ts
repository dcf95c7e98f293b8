import { describe, expect, it } from 'vitest'
import { createInvitation, resendInvitation } from '../../../../src/index.ts'
import {
  createKit,
  invite,
  newAddress,
  isChange,
  testEnv,
  codeOf,
  enforcing,
  join,
  UNLIMITED,
  type Provider,
} from '../../../kit/index.ts'

/** What has been counted in an open window, or null. */
const spent = (key: string) =>
  testEnv.DB.prepare('SELECT count FROM seatgate_rate_limits WHERE key = ?')
    .bind(key)
    .first<number>('count')
const ofUser = (userId: string) => spent(`user:${userId}`)
const ofOrganization = (id: string) => spent(`organization:${id}`)

/** A world in which something else is done between the read of an operation and its batch. */
function overtakenWorld(
  provider: Provider,
  invitationLimits: object,
  first: () => Promise<unknown>
) {
  let overtaken = false
  return createKit({
    provider,
    invitationLimits: { ...UNLIMITED, ...invitationLimits },
    async around({ store, asked }, run) {
      if (store === 'd1' && isChange(asked) && !overtaken) {
        overtaken = true
        await first()
      }
      return run()
    },
  })
}

// What the read finds spent is refused before the batch. Here the read finds room, and the batch does not:
// it has counted one budget when the other refuses.
describe.each(enforcing)('budgets that one batch counts (%s) [D11]', (provider) => {
  it('the organization’s refuses, and the inviter’s is not spent [D11 INV-22]', async () => {
    const limits = { perUser: 5, perOrganization: 1 }
    const calm = createKit({ provider })
    const organization = await calm.organization({ seats: 9 })
    const admin = await join(calm, organization, 'admin')
    const counting = createKit({
      provider,
      invitationLimits: { ...UNLIMITED, ...limits },
    })
    const slow = overtakenWorld(provider, limits, () => invite(counting, organization))
    const late = { email: newAddress(), role: 'member' }
    const answer = await createInvitation(slow.seatgate, organization.as(admin), late)
    expect(codeOf(answer)).toBe('rate_limited_organization')
    expect(await ofOrganization(organization.id)).toBe(1)
    expect(await ofUser(organization.owner)).toBe(1)
    expect(await ofUser(admin)).toBeNull()
  })

  it('the inviter’s refuses, and the organization’s is not spent [D11 INV-21]', async () => {
    const limits = { perUser: 1, perOrganization: 5 }
    const calm = createKit({ provider })
    const [here, there] = [
      await calm.organization({ seats: 9 }),
      await calm.organization({ seats: 9 }),
    ]
    const inviter = await join(calm, here, 'admin')
    await join(calm, there, 'admin', inviter)
    const counting = createKit({
      provider,
      invitationLimits: { ...UNLIMITED, ...limits },
    })
    const elsewhere = { email: newAddress(), role: 'member' }
    const slow = overtakenWorld(provider, limits, () =>
      createInvitation(counting.seatgate, there.as(inviter), elsewhere)
    )
    const late = { email: newAddress(), role: 'member' }
    const answer = await createInvitation(slow.seatgate, here.as(inviter), late)
    expect(codeOf(answer)).toBe('rate_limited_user')
    expect(await ofUser(inviter)).toBe(1)
    expect(await ofOrganization(there.id)).toBe(1)
    expect(await ofOrganization(here.id)).toBeNull()
  })

  it('a resend that the organization’s limit refuses does not count against the inviter’s [D11 INV-38]', async () => {
    const limits = { perUser: 5, perOrganization: 1 }
    const calm = createKit({ provider })
    const organization = await calm.organization({ seats: 9 })
    const admin = await join(calm, organization, 'admin')
    const { id } = await invite(calm, organization)
    const counting = createKit({
      provider,
      invitationLimits: { ...UNLIMITED, ...limits },
    })
    const slow = overtakenWorld(provider, limits, () => invite(counting, organization))
    const answer = await resendInvitation(slow.seatgate, organization.as(admin), id)
    expect(codeOf(answer)).toBe('rate_limited_organization')
    expect(await ofOrganization(organization.id)).toBe(1)
    expect(await ofUser(admin)).toBeNull()
  })
})
