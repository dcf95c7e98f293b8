import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  approveJoinRequest,
  changeRole,
  deleteUser,
  leaveOrganization,
  removeMember,
  setSeatLimit,
  suspendMember,
  transferOwnership,
  type Result,
} from '../../../../src/index.ts'
import {
  violations,
  joinByDomain,
  createJoiningKit,
  membersOf,
  openOrganization,
  requestsOf,
  actionsOf,
  unwrap,
  createKit,
  enforcingOr,
  join,
  PASSWORD,
  type Provider,
  type KitOptions,
  shareOf,
} from '../../../kit/index.ts'

/** A full organization in whose line somebody stands whom an approver has let in as `role`. */
async function approvedInLine(
  provider: Provider,
  { approver: approverRole = 'admin', role = 'member' } = {},
  options: KitOptions = {}
) {
  const kit = createJoiningKit({
    provider,
    lifecycle: {
      onDelete: (statements, { userId }) => ({
        ok: true,
        statements: [...statements, kit.seatgate.db.delete(users).where(eq(users.id, userId))],
      }),
    },
    ...options,
  })
  const organization = await openOrganization(kit, 'request', 2)
  const approver = await join(kit, organization, approverRole)
  const { userId, outcome } = await joinByDomain(kit, organization)
  if (outcome.status !== 'requested') throw new Error(outcome.status)
  const { id } = outcome.request
  const approved = unwrap(
    await approveJoinRequest(kit.seatgate, organization.as(approver), id, { role })
  )
  expect(approved.status).toBe('waiting')
  await kit.settled()
  const asOwner = organization.as(organization.owner)
  /** Seats for everybody: the line is seen to. */
  const makeRoom = async () => {
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 10 }))
    await kit.settled()
  }
  return { kit, organization, approver, userId, id, asOwner, makeRoom }
}

type Scene = Awaited<ReturnType<typeof approvedInLine>>

const LOSSES: Readonly<Record<string, (scene: Scene) => Promise<Result<unknown>>>> = {
  removed: ({ kit, asOwner, approver }) => removeMember(kit.seatgate, asOwner, approver),
  suspended: ({ kit, asOwner, approver }) => suspendMember(kit.seatgate, asOwner, approver),
  demoted: ({ kit, asOwner, approver }) =>
    changeRole(kit.seatgate, asOwner, approver, { role: 'member' }),
  'gone by themselves': ({ kit, organization, approver }) =>
    leaveOrganization(kit.seatgate, {
      caller: { userId: approver },
      organization: organization.id,
    }),
  'gone with their account': ({ kit, approver }) =>
    deleteUser(kit.seatgate, { caller: { userId: approver } }, { password: PASSWORD }),
}

const isWaitingNoMore = async ({ organization, userId }: Scene) => {
  expect(await requestsOf(organization)).toMatchObject([{ user_id: userId, state: 'open' }])
  expect(await membersOf(organization)).not.toContain(userId)
  expect(await violations(organization.id, { quiet: true })).toEqual([])
}

describe.each(enforcingOr('d1'))('an approval in line (%s) [A2]', (provider) => {
  it.each(shareOf(Object.entries(LOSSES), 3))(
    'is invalid when the approver is %s: the user has to ask again [A2]',
    async (_what, lose) => {
      const scene = await approvedInLine(provider)
      const { kit, organization, userId, id, asOwner, makeRoom } = scene
      unwrap(await lose(scene))
      await kit.settled()
      await makeRoom()
      await isWaitingNoMore(scene)
      const asked = (action: string) => action === 'organization.join_request.created'
      expect((await actionsOf(organization.id)).filter(asked)).toHaveLength(2)
      const again = unwrap(await approveJoinRequest(kit.seatgate, asOwner, id, {}))
      expect(again).toMatchObject({ status: 'joined', membership: { userId, role: 'member' } })
    }
  )

  it.each(['changeRole', 'transferOwnership'])(
    'to the owner’s role is invalid when the owner transfers the ownership (%s) [A2]',
    async (way) => {
      for (const [role, joins] of [
        ['owner', false],
        ['admin', true],
      ] as const) {
        const scene = await approvedInLine(provider, { approver: 'owner', role })
        const { kit, organization, approver, asOwner, userId, makeRoom } = scene
        const { owner } = organization
        unwrap<unknown>(
          way === 'changeRole'
            ? await changeRole(kit.seatgate, asOwner, approver, { role: 'admin' })
            : await transferOwnership(kit.seatgate, organization.as(approver), {
                userId: owner,
                role: 'admin',
                password: PASSWORD,
              })
        )
        await kit.settled()
        await makeRoom()
        if (joins) expect(await membersOf(organization)).toContain(userId)
        else await isWaitingNoMore(scene)
      }
    }
  )

  it('counts while the approver could give it [A2]', async () => {
    const scene = await approvedInLine(provider)
    await scene.makeRoom()
    expect(await membersOf(scene.organization)).toContain(scene.userId)
  })

  it('stays with invitationsOutliveInviter [A2]', async () => {
    const options = { invitationsOutliveInviter: true }
    const scene = await approvedInLine(provider, {}, options)
    unwrap(await LOSSES['removed']!(scene))
    await scene.kit.settled()
    expect(await membersOf(scene.organization)).toContain(scene.userId)
  })

  it('is invalid if the approver is demoted while the user is admitted [A2]', async () => {
    const scene = await approvedInLine(provider)
    const { organization, approver, asOwner } = scene
    // A host that lets in from no line: it changes what is true, and nothing follows by itself.
    const { seatgate, settled } = createKit({ provider })
    unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: 10 }))
    let demotions = 0
    const overtaken = createJoiningKit({
      provider,
      async around({ asked }, run) {
        const admits = asked.some((sql) => sql.startsWith('insert into "seatgate_memberships"'))
        if (admits && demotions++ === 0) {
          unwrap(await changeRole(seatgate, asOwner, approver, { role: 'member' }))
        }
        return run()
      },
    })
    await overtaken.seatgate.joining?.admitWaiting(overtaken.seatgate, organization.id)
    await Promise.all([overtaken.settled(), settled()])
    expect(demotions).toBe(1)
    await isWaitingNoMore(scene)
  })

  it('of the host itself stays valid [A2]', async () => {
    const kit = createJoiningKit({ provider })
    const organization = await openOrganization(kit, 'request', 1)
    const { userId, outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const scope = { caller: { type: 'system' }, organization: organization.id } as const
    unwrap(await approveJoinRequest(kit.seatgate, scope, outcome.request.id, {}))
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 2 }))
    await kit.settled()
    expect(await membersOf(organization)).toContain(userId)
  })
})
