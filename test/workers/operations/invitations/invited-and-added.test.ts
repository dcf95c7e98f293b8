import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  addMember,
  createInvitation,
  createInvitations,
} from '../../../../src/index.ts'
import {
  invite,
  newAddress,
  userWith,
  violations,
  approve,
  joinByDomain,
  createJoiningKit,
  joinAs,
  membersOf,
  openOrganization,
  actionsOf,
  meanwhile,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  delays,
  enforcingOr,
  atScale,
} from '../../../kit/index.ts'

const quiet = { quiet: true }

describe.each(enforcingOr('ledger'))(
  'an invited user who becomes a member in another way, %s seats',
  (provider) => {
    const kit = createKit({ provider })
    const direct = createJoiningKit({ provider }, { whenFull: {} })

    it('counts once: the seat of the invitation is theirs, at a full limit too [SEAT-10 MUSEUM-09]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const scope = organization.as(organization.owner)
      const email = newAddress()
      const invitation = await invite(kit, organization, email)
      const userId = await userWith(email)
      const added = unwrap(await addMember(kit.seatgate, scope, { userId, role: 'admin' }))
      await kit.settled()
      expect(added.membership).toMatchObject({ userId, role: 'admin' })
      expect((await actionsOf(organization.id)).slice(-3)).toEqual([
        'organization.invitation.revoked',
        'organization.member_add',
        'seat.assigned',
      ])
      expect(await violations(organization.id, quiet)).toEqual([])
      const { token } = invitation
      const late = await acceptInvitation(kit.seatgate, { caller: { userId } }, { token })
      expect(codeOf(late)).toBe('invitation_revoked')
    })

    it('takes a seat like any user if the invitation has expired, and ends it [SEAT-10]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const scope = organization.as(organization.owner)
      const email = newAddress()
      const { id } = await invite(kit, organization, email)
      await testEnv.DB.prepare('UPDATE seatgate_invitations SET expires_at = 1 WHERE id = ?')
        .bind(id)
        .run()
      const userId = await userWith(email)
      const answer = await addMember(kit.seatgate, scope, { userId, role: 'member' })
      // The ledger frees it at its deadline; D1 alone knows at once.
      expect(codeOf(answer)).toBe(provider === 'ledger' ? 'seat_limit_reached' : 'ok')
      await kit.settled()
      expect(await membersOf(organization)).toEqual(provider === 'ledger' ? [] : [userId])
    })

    it('also counts once when they join by the domain [SEAT-10]', async () => {
      const organization = await openOrganization(direct, 'auto', 2)
      const email = `ann@${organization.domain.domain}`
      await invite(direct, organization, email)
      const userId = await userWith(email)
      expect(unwrap(await joinAs(direct, organization, userId)).status).toBe('joined')
      await direct.settled()
      expect(await violations(organization.id, quiet)).toEqual([])
    })

    it('counts once on request, and in line [SEAT-10]', async () => {
      for (const whenFull of ['refuse', 'wait'] as const) {
        const asking = createJoiningKit({ provider }, { whenFull: { request: whenFull } })
        const organization = await openOrganization(asking, 'request', 2)
        const { userId, outcome } = await joinByDomain(asking, organization)
        if (outcome.status !== 'requested') throw new Error(outcome.status)
        const email = await testEnv.DB.prepare('SELECT email FROM users WHERE id = ?')
          .bind(userId)
          .first<string>('email')
        await invite(asking, organization, email!)
        const approved = unwrap(await approve(asking, organization, outcome.request.id))
        expect(approved.status).toBe('joined')
        await asking.settled()
        expect(await violations(organization.id, quiet)).toEqual([])
      }
    })

    it.each(delays)(
      'has one membership when they accept while they are added (%i ms) [MUSEUM-09]',
      async (delayMs) => {
        const far = createKit({ provider, delayMs })
        for (let round = 0; round < atScale({ share: 2, thorough: 5 }); round++) {
          const organization = await far.organization({ seats: 2 })
          const scope = organization.as(organization.owner)
          const email = newAddress()
          const { token } = await invite(far, organization, email)
          const userId = await userWith(email)
          const answers = await Promise.all([
            addMember(far.seatgate, scope, { userId, role: 'member' }),
            acceptInvitation(far.seatgate, { caller: { userId } }, { token }),
          ])
          await far.settled()
          expect(answers.map(codeOf)).toContain('ok')
          expect(await membersOf(organization)).toEqual([userId])
          expect(await violations(organization.id, quiet)).toEqual([])
        }
      }
    )

    it.each(['createInvitation', 'createInvitations'])(
      'is not invited if they become a member between the read and the batch of %s [SEAT-10]',
      async (way) => {
        const organization = await kit.organization({ seats: 10 })
        const scope = organization.as(organization.owner)
        const email = newAddress()
        const userId = await userWith(email)
        const overtaken = createKit({
          provider,
          around: meanwhile(async () =>
            unwrap(await addMember(kit.seatgate, scope, { userId, role: 'member' }))
          ),
        })
        const input = { email, role: 'admin' }
        const invited =
          way === 'createInvitation'
            ? await createInvitation(overtaken.seatgate, scope, input)
            : unwrap(
                await createInvitations(overtaken.seatgate, scope, {
                  invitations: [{ email: newAddress(), role: 'member' }, input],
                })
              )[1]!
        expect(codeOf(invited)).toBe('already_member')
        await Promise.all([kit.settled(), overtaken.settled()])
        expect(await actionsOf(organization.id)).not.toContain('organization.invitation.revoked')
        expect(await violations(organization.id, quiet)).toEqual([])
      }
    )

    it('SEAT-10 counts once if they are invited between the read and the batch that adds them', async () => {
      const organization = await kit.organization({ seats: 10 })
      const scope = organization.as(organization.owner)
      const email = newAddress()
      const userId = await userWith(email)
      const overtaken = createKit({
        provider,
        around: meanwhile(async () =>
          unwrap(await createInvitation(kit.seatgate, scope, { email, role: 'member' }))
        ),
      })
      const input = { userId, role: 'admin' }
      const { membership } = unwrap(await addMember(overtaken.seatgate, scope, input))
      await Promise.all([kit.settled(), overtaken.settled()])
      expect(membership).toMatchObject(input)
      expect((await actionsOf(organization.id)).slice(-3)).toEqual([
        'organization.invitation.revoked',
        'organization.member_add',
        'seat.assigned',
      ])
      expect(await violations(organization.id, quiet)).toEqual([])
    })
  }
)
