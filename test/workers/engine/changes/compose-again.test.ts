import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  addMember,
  commitTogether,
  prepareEvents,
  prepareMember,
  type AddedMember,
  type Prepared,
  type Result,
  type Statement,
} from '../../../../src/index.ts'
import {
  actionsOf,
  readState,
  violations,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  join,
  leave,
  newUser,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

const joiner = async ({ seatgate }: Kit, { id, owner }: TestOrganization, userId: string) =>
  unwrap(
    await prepareMember(
      seatgate,
      { caller: { userId: owner }, organization: id },
      { userId, role: 'member' }
    )
  )

/** A statement of the host's that breaks a unique key: nothing of its batch is written. */
function breaking({ seatgate }: Kit, id: string): Statement {
  return seatgate.db
    .insert(users)
    .values({ id, email: 'x', passwordHash: 'none', createdAt: new Date() })
}

async function rolledBack(kit: Kit, joining: Prepared<AddedMember>): Promise<void> {
  const after = [breaking(kit, await newUser())]
  expect(codeOf(await commitTogether(kit.seatgate, joining, { after }))).toBe('host_conflict')
  await kit.settled()
}

describe.each(enforcingOr('ledger'))(
  'a batch that was rolled back and is sent again (%s)',
  (provider) => {
    const kit = createKit({ provider })
    const { seatgate } = kit

    it('admits no user above the limit, if another user has the seat now [SEAT-14 SEAT-2]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const [late, early] = [await newUser(), await newUser()]
      const joining = await joiner(kit, organization, late)
      await rolledBack(kit, joining)
      await join(kit, organization, 'member', early)

      const again = await commitTogether(seatgate, joining)
      await kit.settled()
      expect(codeOf(again)).not.toBe('ok')
      const { members } = await readState(organization.id)
      expect(members.map(({ user_id }) => user_id).toSorted()).toEqual(
        [organization.owner, early].toSorted()
      )
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('is added with a counted seat, or not at all [SEAT-14]', async () => {
      const organization = await kit.organization({ seats: 3 })
      const userId = await newUser()
      const joining = await joiner(kit, organization, userId)
      await rolledBack(kit, joining)
      const again: Result<unknown> = await commitTogether(seatgate, joining)
      await kit.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
      // Prepared anew it is an admission like any other.
      if (!again.ok) {
        unwrap(await commitTogether(seatgate, await joiner(kit, organization, userId)))
        await kit.settled()
      }
      const { members } = await readState(organization.id)
      expect(members.map(({ user_id }) => user_id)).toContain(userId)
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('does not bring a former member back into their former seat [SEAT-24 SEAT-9]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const userId = await newUser()
      const joining = await joiner(kit, organization, userId)
      unwrap(await commitTogether(seatgate, joining))
      await kit.settled()
      unwrap(await leave(kit, organization, userId))
      const successor = await newUser()
      const scope = organization.as(organization.owner)
      unwrap(await addMember(seatgate, scope, { userId: successor, role: 'member' }))
      await kit.settled()

      const again = await commitTogether(seatgate, joining).catch((error: unknown) => error)
      await kit.settled()
      expect(again).not.toMatchObject({ ok: true })
      const { members } = await readState(organization.id)
      expect(members.map(({ user_id }) => user_id).toSorted()).toEqual(
        [organization.owner, successor].toSorted()
      )
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('does not bring a former member back into a free seat [SEAT-24]', async () => {
      const organization = await kit.organization({ seats: 3 })
      const userId = await newUser()
      const joining = await joiner(kit, organization, userId)
      unwrap(await commitTogether(seatgate, joining))
      await kit.settled()
      unwrap(await leave(kit, organization, userId))
      await kit.settled()

      const again = await commitTogether(seatgate, joining)
      await kit.settled()
      expect(codeOf(again)).toBe('operation_in_progress')
      const { members } = await readState(organization.id)
      expect(members.map(({ user_id }) => user_id)).toEqual([organization.owner])
      // Prepared again it is an admission like any other, with a seat of its own.
      unwrap(await commitTogether(seatgate, await joiner(kit, organization, userId)))
      await kit.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('writes the events of the host once', async () => {
      const organization = await kit.organization()
      const scope = { caller: { userId: organization.owner }, organization: organization.id }
      const before = await actionsOf(organization.id)
      const prepared = unwrap(
        prepareEvents(seatgate, scope, [
          { action: 'report.read', idempotencyKey: crypto.randomUUID() },
          { action: 'report.read' },
        ])
      )
      expect(codeOf(await commitTogether(seatgate, prepared))).toBe('ok')
      expect(codeOf(await commitTogether(seatgate, prepared))).toBe('operation_in_progress')
      expect((await actionsOf(organization.id)).slice(before.length)).toEqual([
        'report.read',
        'report.read',
      ])
    })
  }
)
