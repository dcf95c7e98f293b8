import { describe, expect, it } from 'vitest'
import { declineInvitation, revokeInvitation, viewInvitation } from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  seatgateWith,
  accept,
  createKit,
  invite,
  actionsOf,
  testEnv,
  unwrap,
  type KitOptions,
} from '../../../kit/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** A world whose clock is turned by hand. */
function clockedWorld(options: KitOptions = {}) {
  let time = Date.now()
  const kit = createKit({ now: () => new Date(time), ...options })
  return {
    kit,
    async sweepAfter(days: number) {
      time += days * DAY_MS
      await sweepHandler(kit.seatgate)()
      await kit.settled()
    },
  }
}

const idsIn = async (organizationId: string) => {
  const { results } = await testEnv.DB.prepare(
    'SELECT id FROM seatgate_invitations WHERE organization_id = ? ORDER BY id'
  )
    .bind(organizationId)
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

describe('invitations that are over', () => {
  it('go 30 days past their time, however they ended; those that are not over stay [INV-89 INV-1]', async () => {
    const { kit, sweepAfter } = clockedWorld()
    const organization = await kit.organization({ seats: 10 })
    const scope = organization.as(organization.owner)
    const ended = {
      accepted: await invite(kit, organization),
      declined: await invite(kit, organization),
      revoked: await invite(kit, organization),
      expired: await invite(kit, organization),
    }
    unwrap(await accept(kit, ended.accepted))
    unwrap(await declineInvitation(kit.seatgate, { caller: { type: 'anonymous' } }, ended.declined))
    unwrap(await revokeInvitation(kit.seatgate, scope, ended.revoked.id))
    await kit.settled()
    const all = Object.values(ended)
      .map(({ id }) => id)
      .sort()
    const actions = await actionsOf(organization.id)
    await sweepAfter(36.9)
    expect(await idsIn(organization.id)).toEqual(all)
    const later = await invite(kit, organization)
    await sweepAfter(1)
    expect(await idsIn(organization.id)).toEqual([later.id])
    expect((await actionsOf(organization.id)).slice(0, actions.length)).toEqual(actions)
    const { token } = ended.expired
    expect(await viewInvitation(kit.seatgate, null, { token })).toEqual({ status: 'expired' })
  })

  it('are deleted earlier or never, as the host configures [INV-89]', async () => {
    const short = clockedWorld({ invitationRetentionDays: 1 })
    const never = clockedWorld({ invitationRetentionDays: Infinity })
    const [gone, kept] = [await short.kit.organization(), await never.kit.organization()]
    await invite(short.kit, gone)
    const { id } = await invite(never.kit, kept)
    await never.sweepAfter(1000)
    expect(await idsIn(kept.id)).toEqual([id])
    expect(await idsIn(gone.id)).toHaveLength(1)
    await short.sweepAfter(8)
    expect(await idsIn(gone.id)).toEqual([])
  })

  it.each([[0], [-1], [1.5], [Number.NaN], ['30' as never]])(
    'are not kept for %j days',
    (invitationRetentionDays) => {
      expect(() => seatgateWith({ invitationRetentionDays })).toThrow(/retentionDays/)
    }
  )
})
