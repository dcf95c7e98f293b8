import { describe, expect, it } from 'vitest'
import {
  changeInvitationRole,
  declineInvitation,
  renameOrganization,
  resendInvitation,
  revokeInvitation,
  suspendMember,
  transferOwnership,
} from '../../../src/index.ts'
import {
  accept,
  createKit,
  invite,
  readState,
  violations,
  violationsIn,
  type InvitationState,
  type LedgerState,
  type MemberState,
  type OrganizationState,
  type State,
  testEnv,
  unwrap,
  join,
  newUsers,
  PASSWORD,
} from '../../kit/index.ts'

describe('the checkers', () => {
  it('find no violation in a right state, and every violation made in it', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const { seatgate } = kit
    const asOwner = organization.as(organization.owner)
    const member = await join(kit, organization)
    const other = await join(kit, organization)
    unwrap(await suspendMember(seatgate, asOwner, other))
    unwrap(await renameOrganization(seatgate, asOwner, { name: 'Renamed' }))
    unwrap(await transferOwnership(seatgate, asOwner, { userId: member, password: PASSWORD }))
    await kit.settled()
    const good = await readState(organization.id)
    expect(violationsIn(good, { quiet: true })).toEqual([])

    const seatsOf = (seats: LedgerState['seats']): State => ({
      ...good,
      ledger: { ...good.ledger!, seats, held: seats.length },
    })
    // The counts go along, so that it is the rows themselves that are found wrong.
    const withMembers = (members: State['members']): State => ({
      ...good,
      members,
      counts: {
        active: members.filter(({ status }) => status === 'active').length,
        suspended: members.filter(({ status }) => status === 'suspended').length,
        seats: members.filter(({ seat_id }) => seat_id !== null).length,
      },
    })
    const change = (userId: string, to: Partial<MemberState>) =>
      withMembers(good.members.map((row) => (row.user_id === userId ? { ...row, ...to } : row)))
    const without = (action: string) => ({
      ...good,
      events: good.events
        .filter((event) => event.action !== action)
        .map((event, index) => ({ ...event, sequence: index + 1 })),
    })
    const telling = (action: string, more: object) => ({
      ...good,
      events: good.events.map((event) =>
        event.action === action ? { ...event, metadata: { ...event.metadata, ...more } } : event
      ),
    })
    const intruder = {
      user_id: 'x',
      role: 'member',
      status: 'active',
      seat_id: 'x',
      suspended_by: null,
    }
    const { seats } = good.ledger!
    const extra = { seat_id: 'x', holder: 'x', state: 'held' }
    const organizationIs = (to: Partial<OrganizationState>) => ({
      ...good,
      organization: { ...good.organization!, ...to },
    })
    const spoilt: Record<string, [State, RegExp]> = {
      'an ungated member': [withMembers([...good.members, intruder]), /member x is there and not/],
      'a lost member': [
        withMembers(good.members.filter(({ user_id }) => user_id !== member)),
        /is on record and not there/,
      ],
      'a doubled member': [withMembers([...good.members, good.members[0]!]), /a member twice/],
      'no owner': [change(member, { role: 'member' }), /no owner/],
      'an owner who cannot act': [
        change(member, { status: 'suspended', seat_id: null, suspended_by: 'admin' }),
        /no owner/,
      ],
      'a role without an event': [
        change(organization.owner, { role: 'owner' }),
        /member .* is on record and not there/,
      ],
      'a suspension without an event': [
        change(organization.owner, { status: 'suspended', seat_id: null, suspended_by: 'admin' }),
        /standing .* is on record and not there/,
      ],
      'a suspension by somebody else': [change(other, { suspended_by: 'over_limit' }), /standing/],
      'a suspended member in a seat': [change(other, { seat_id: 'x' }), /has a seat, suspended/],
      'a seat too few': [seatsOf([seats[0]!]), /does not know/],
      'a seat too many': [seatsOf([...seats, extra]), /x leaked/],
      'a reservation': [
        seatsOf(seats.map((seat) => ({ ...seat, state: 'reserved' }))),
        /is still reserved/,
      ],
      'a wrong count': [{ ...good, ledger: { ...good.ledger!, held: 3 } }, /counts 3/],
      'a wrong count of members': [
        { ...good, counts: { ...good.counts!, active: 1 } },
        /^1 active in seatgate_member_counts, 2/,
      ],
      'a wrong count of the suspended': [
        { ...good, counts: { ...good.counts!, suspended: 0 } },
        /^0 suspended in seatgate_member_counts, 1/,
      ],
      'a wrong count of seats': [
        { ...good, counts: { ...good.counts!, seats: 3 } },
        /^3 seats in seatgate_member_counts, 2/,
      ],
      'no count': [{ ...good, counts: null }, /^0 active in seatgate_member_counts/],
      'an old epoch': [{ ...good, epoch: 2 }, /epoch \d+, in force 2/],
      'another limit': [
        { ...good, ledger: { ...good.ledger!, limit_seats: 4 } },
        /limit 4 v1 in the ledger/,
      ],
      'a fenced member': [{ ...good, fences: [seats[0]!.seat_id] }, /is fenced/],
      'a limit passed': [
        { ...good, entitlement: { ...good.entitlement!, limit_seats: 1 } },
        /at most 1 allowed/,
      ],
      'a gap': [
        { ...good, events: good.events.filter(({ sequence }) => sequence !== 2) },
        /expected sequence 2/,
      ],
      'a repeat': [{ ...good, events: [...good.events, good.events.at(-1)!] }, /expected sequence/],
      'a missing event': [without('organization.member_suspend'), /standing/],
      'a missing transfer': [without('organization.ownership_transfer'), /member/],
      'a transfer of what was not theirs': [
        telling('organization.ownership_transfer', { from_user_id: other }),
        /was not the owner’s to give/,
      ],
      'a name without an event': [organizationIs({ name: 'Other' }), /^name is on record/],
      'a policy without an event': [organizationIs({ enforce_mfa_for_members: 1 }), /^mfa is/],
      'a deletion without an event': [organizationIs({ deleted_at: 1 }), /^deleted is/],
      'an event of an unknown kind': [
        {
          ...good,
          events: good.events.map((event) =>
            event.action === 'organization.rename' ? { ...event, action: 'organization.x' } : event
          ),
        },
        /is not known here/,
      ],
    }
    for (const [what, [state, finding]] of Object.entries(spoilt)) {
      expect(violationsIn(state, { quiet: true }), what).toContainEqual(
        expect.stringMatching(finding)
      )
    }
  })

  it('find no violation in invitations that are right, and everything that is done to them', async () => {
    const kit = createKit()
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 7 })
    const asOwner = organization.as(organization.owner)
    const open = await invite(kit, organization)
    const accepted = await invite(kit, organization)
    const { membership } = unwrap(await accept(kit, accepted))
    const revoked = await invite(kit, organization)
    unwrap(await revokeInvitation(seatgate, asOwner, revoked.id))
    const declined = await invite(kit, organization)
    unwrap(await declineInvitation(seatgate, { caller: { type: 'anonymous' } }, declined))
    const replaced = await invite(kit, organization)
    const again = await invite(kit, organization, replaced.email)
    unwrap(await changeInvitationRole(seatgate, asOwner, again.id, { role: 'admin' }))
    unwrap(await resendInvitation(seatgate, asOwner, again.id))
    await kit.settled()
    const good = await readState(organization.id)
    expect(violationsIn(good, { quiet: true })).toEqual([])
    expect(good.ledger).toMatchObject({ held: 2, reserved: 2 })

    const rowOf = ({ id }: { id: string }) => good.invitations.find((row) => row.id === id)!
    const change = (invitation: { id: string }, to: Partial<InvitationState>): State => ({
      ...good,
      invitations: good.invitations.map((row) =>
        row.id === invitation.id ? { ...row, ...to } : row
      ),
    })
    const without = (action: string, target?: string) => ({
      ...good,
      events: good.events
        .filter((event) => event.action !== action || (target && event.target_id !== target))
        .map((event, index) => ({ ...event, sequence: index + 1 })),
    })
    const ledgerIs = (to: Partial<LedgerState>) => ({ ...good, ledger: { ...good.ledger!, ...to } })
    const { seats } = good.ledger!
    const seat = rowOf(open).seat_id!
    const spoilt: Record<string, [State, RegExp]> = {
      'an invitation without an event': [
        { ...good, invitations: [...good.invitations, { ...rowOf(open), id: 'x', seat_id: null }] },
        /^invitation x is there and not on record/,
      ],
      'a lost invitation': [
        { ...good, invitations: good.invitations.filter(({ id }) => id !== open.id) },
        /^invitation .* is on record and not there/,
      ],
      'an acceptance that is not on record': [change(open, { accepted_at: 1 }), /^invitation/],
      'a revocation that is not on record': [change(open, { revoked_at: 1 }), /^invitation/],
      'a decline that is not on record': [change(open, { declined_at: 1 }), /^invitation/],
      'one that is open again': [change(revoked, { revoked_at: null }), /^invitation/],
      'a role without an event': [change(again, { role: 'owner' }), /^invitation/],
      'an open one that lost its seat': [change(open, { seat_id: null }), /^seat .* not there/],
      'an open one in another seat': [change(open, { seat_id: 'x' }), /the ledger does not know x/],
      'a promise that the ledger does not know': [
        ledgerIs({ seats: seats.filter(({ seat_id }) => seat_id !== seat), reserved: 1 }),
        /the ledger does not know/,
      ],
      'a promise that the ledger takes for a member': [
        ledgerIs({
          seats: seats.map((one) => (one.seat_id === seat ? { ...one, state: 'held' } : one)),
        }),
        /is still held/,
      ],
      'a member whom the ledger takes for a promise': [
        ledgerIs({ seats: seats.map((one) => ({ ...one, state: 'reserved' })) }),
        /is still reserved/,
      ],
      'a wrong count of promises': [ledgerIs({ held: 3, reserved: 1 }), /^counts 3 \+ 1/],
      'a promise that the clock has ended': [
        change(open, { expired: 1 }),
        /leaked|is still reserved/,
      ],
      'a fenced promise': [{ ...good, fences: [seat] }, /is fenced/],
      'a limit passed by promises': [
        { ...good, entitlement: { ...good.entitlement!, limit_seats: 3 } },
        /^4 members, at most 3/,
      ],
      'a seat that was never promised': [without('seat.reserved', seat), /^seat .* not on record/],
      'a seat that was never released': [
        without('seat.released', rowOf(declined).seat_id!),
        /^seat .* is on record and not there/,
      ],
      'an invitation without its beginning': [
        without('organization.invitation.created', replaced.id),
        /was not unfinished/,
      ],
      'a member without an acceptance': [
        without('organization.invitation.accepted'),
        /^invitation .* is there and not on record/,
      ],
      'an acceptance without a member': [
        { ...good, members: good.members.filter(({ user_id }) => user_id !== membership.userId) },
        /^member .* is on record and not there/,
      ],
      'an end after the end': [
        {
          ...good,
          events: good.events.map((event) =>
            event.action === 'organization.invitation.declined'
              ? { ...event, target_id: revoked.id }
              : event
          ),
        },
        /was not unfinished/,
      ],
    }
    for (const [what, [state, finding]] of Object.entries(spoilt)) {
      expect(violationsIn(state, { quiet: true }), what).toContainEqual(
        expect.stringMatching(finding)
      )
    }
  })

  it('find the member that two concurrent joins added twice', async () => {
    // A gate that counts, waits and then writes: what the races above would find.
    const kit = createKit({ provider: 'd1' })
    const organization = await kit.organization({ seats: 3, members: 2 })
    const naively = async (userId: string) => {
      const { members } = await readState(organization.id)
      if (members.length >= 3) return
      await testEnv.DB.prepare(
        `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
         VALUES (?1, ?2, ?1, 'member', ?1, 0, 0)`
      )
        .bind(userId, organization.id)
        .run()
    }
    await Promise.all((await newUsers(2)).map(naively))
    const found = await violations(organization.id, { quiet: true })
    expect(found).toContain('4 members, at most 3 allowed')
  })
})
