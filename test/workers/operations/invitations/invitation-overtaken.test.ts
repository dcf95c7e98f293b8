import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  acceptInvitation,
  changeInvitationRole,
  createInvitation,
  declineInvitation,
  revokeInvitation,
  seatUsage,
  softDeleteOrganization,
} from '../../../../src/index.ts'
import {
  expectSound,
  ledgerOf,
  passTime,
  createKit,
  invite,
  userWith,
  testEnv,
  add,
  unwrap,
  codeOf,
  enforcingOr,
  type Provider,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** A world in which something else is done first, just before the first of these batches. */
function overtaken(
  provider: Provider,
  isOvertaken: (sql: string) => boolean,
  act: () => Promise<unknown>
) {
  let isFirst = true
  return createKit({
    provider,
    async around({ asked }, run) {
      if (isFirst && asked.some(isOvertaken)) {
        isFirst = false
        await act()
      }
      return run()
    },
  })
}

const endsInvitations = (sql: string) => sql.startsWith('update "seatgate_invitations"')

/** An invitation that is declined just before somebody else ends it. */
async function declinedMeanwhile(provider: Provider) {
  const calm = createKit({ provider })
  const organization = await calm.organization({ seats: 2 })
  const invited = await invite(calm, organization)
  const kit = overtaken(provider, endsInvitations, async () =>
    unwrap(await declineInvitation(calm.seatgate, { caller: { type: 'anonymous' } }, invited))
  )
  return { calm, organization, invited, kit }
}

const stateOf = (id: string) =>
  testEnv.DB.prepare(
    `SELECT accepted_at IS NOT NULL AS accepted, revoked_at IS NOT NULL AS revoked,
      declined_at IS NOT NULL AS declined FROM seatgate_invitations WHERE id = ?`
  )
    .bind(id)
    .first()

describe.each(enforcingOr('ledger'))(
  'rows that have changed since the read, %s seats',
  (provider) => {
    it('an acceptance during a change of the role gives the new role [INV-72]', async () => {
      const calm = createKit({ provider })
      const organization = await calm.organization({ seats: 2 })
      const invited = await invite(calm, organization)
      const userId = await userWith(invited.email)
      const kit = overtaken(
        provider,
        (sql) => sql.startsWith('insert into "seatgate_memberships"'),
        () =>
          changeInvitationRole(calm.seatgate, organization.as(organization.owner), invited.id, {
            role: 'admin',
          })
      )
      const accepted = unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, invited))
      expect(accepted.membership.role).toBe('admin')
      await Promise.all([calm.settled(), kit.settled()])
      await expectSound(organization.id, true)
    })

    it('revoking an invitation that is declined at that moment is refused, and it stays declined [INV-41]', async () => {
      const { calm, organization, invited, kit } = await declinedMeanwhile(provider)
      const asOwner = organization.as(organization.owner)
      const revoked = await revokeInvitation(kit.seatgate, asOwner, invited.id)
      expect(codeOf(revoked)).toBe('not_pending')
      expect(await stateOf(invited.id)).toEqual({ accepted: 0, revoked: 0, declined: 1 })
      await Promise.all([calm.settled(), kit.settled()])
      await expectSound(organization.id, true)
    })

    it('deleting an organization ends the invitation that has replaced another one since the read [ORG-29]', async () => {
      const calm = createKit({ provider })
      const organization = await calm.organization({ seats: 3 })
      const earlier = await invite(calm, organization)
      const asOwner = organization.as(organization.owner)
      let later = earlier
      const kit = overtaken(provider, endsInvitations, async () => {
        unwrap(await revokeInvitation(calm.seatgate, asOwner, earlier.id))
        later = await invite(calm, organization)
      })
      const byHost = { caller: { type: 'system' }, organization: organization.id } as const
      unwrap(await softDeleteOrganization(kit.seatgate, byHost, { confirmName: 'Test' }))
      expect(later.id).not.toBe(earlier.id)
      for (const { id } of [earlier, later]) {
        expect(await stateOf(id)).toEqual({ accepted: 0, revoked: 1, declined: 0 })
      }
      await Promise.all([calm.settled(), kit.settled()])
    })

    it('deleting an organization leaves an invitation that is declined at that moment declined [ORG-29]', async () => {
      const { calm, organization, invited, kit } = await declinedMeanwhile(provider)
      const byHost = { caller: { type: 'system' }, organization: organization.id } as const
      unwrap(await softDeleteOrganization(kit.seatgate, byHost, { confirmName: 'Test' }))
      expect(await stateOf(invited.id)).toEqual({ accepted: 0, revoked: 0, declined: 1 })
      await Promise.all([calm.settled(), kit.settled()])
    })

    it('a user who is invited again after the seat was assigned to another needs another seat [MUSEUM-12]', async () => {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 2 })
      const { email } = await invite(kit, organization)
      passTime(WEEK_MS + 61_000)
      if (provider === 'ledger') await runDurableObjectAlarm(ledgerOf(organization))
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await kit.settled()
      const asOwner = organization.as(organization.owner)
      const again = await createInvitation(kit.seatgate, asOwner, { email, role: 'member' })
      expect(codeOf(again)).toBe('seat_limit_reached')
      await expectSound(organization.id, true)
    })

    it('a declined invitation holds no seat from then on [INV-45]', async () => {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 2 })
      const invited = await invite(kit, organization)
      expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
      unwrap(await declineInvitation(kit.seatgate, { caller: { type: 'anonymous' } }, invited))
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await kit.settled()
      await expectSound(organization.id, true)
    })

    it('a user who is invited again after the expiry has one seat at once [MUSEUM-12]', async () => {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 3 })
      const { email } = await invite(kit, organization)
      passTime(WEEK_MS + 61_000)
      await invite(kit, organization, email)
      const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
      expect(usage).toMatchObject({ held: 1, reserved: 1 })
      expect(codeOf(await add(kit, organization))).toBe('ok')
    })
  }
)
