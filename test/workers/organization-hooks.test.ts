import { describe, expect, it } from 'vitest'
import { HOOKS } from '../../src/hooks/hooks.ts'
import { composeLifecycle } from '../../src/index.ts'
import { everyHook, hookedWorld, MUTATORS, newTeam } from './mutators.ts'
import { codeOf, createWorld } from './world.ts'

/** Which hooks a function asks and tells, in this order. */
const HEARD: Readonly<Record<string, readonly string[]>> = {
  createOrganization: ['beforeCreateOrganization', 'afterCreateOrganization'],
  softDeleteOrganization: ['beforeDeleteOrganization', 'afterDeleteOrganization'],
  addMember: ['beforeAddMember', 'afterAddMember'],
  changeRole: ['beforeRoleChange', 'afterRoleChange'],
  removeMember: ['beforeMemberRemove', 'afterMemberRemove'],
  leaveOrganization: ['beforeMemberRemove', 'afterMemberRemove'],
  transferOwnership: ['beforeTransfer', 'afterTransfer'],
  deleteUser: ['onDelete', 'afterMemberRemove'],
  'prepareOrganization and commitTogether': ['beforeCreateOrganization', 'afterCreateOrganization'],
  'prepareMember and commitTogether': ['beforeAddMember', 'afterAddMember'],
  'prepareUserDeletion and commitTogether': ['onDelete', 'afterMemberRemove'],
  acceptInvitation: ['beforeAddMember', 'afterAddMember'],
  acceptInvitationWithSignup: ['beforeAddMember', 'afterAddMember'],
  'joinOrganization, by its domain': ['beforeAddMember', 'afterAddMember'],
  approveJoinRequest: ['beforeAddMember', 'afterAddMember'],
}

describe('a hook in the configuration', () => {
  it.each(MUTATORS.map((mutator) => [mutator.name, mutator] as const))(
    'ORG-41 is called by what it is for, once: %s',
    async (name, { act }) => {
      const team = await newTeam('d1')
      const called: string[] = []
      const world = hookedWorld({ provider: 'd1' }, (hook) => called.push(hook))
      expect(codeOf(await act(world.seatgate, team))).toBe('ok')
      await world.settled()
      expect(called).toEqual(HEARD[name] ?? [])
    }
  )

  it('ORG-41 is called by something, whichever it is', async () => {
    const heard = new Set(Object.values(HEARD).flat())
    const lifecycle = Object.entries(HOOKS).flatMap(([name, { inBatch }]) =>
      inBatch ? [name] : []
    )
    const asked: string[] = []
    const { seatgate } = createWorld({
      lifecycle: Object.fromEntries(
        lifecycle.map((hook) => [
          hook,
          (statements: readonly unknown[]) => {
            asked.push(hook)
            return { ok: true, statements }
          },
        ])
      ),
    })
    for (const hook of lifecycle) {
      await composeLifecycle(seatgate, hook as 'onDelete', [], { userId: 'x' })
    }
    expect(asked).toEqual(lifecycle)
    expect(Object.keys(HOOKS).filter((hook) => !heard.has(hook) && !asked.includes(hook))).toEqual(
      []
    )
    expect(Object.keys(everyHook(() => {})).sort()).toEqual(
      Object.keys(HOOKS)
        .filter((hook) => !lifecycle.includes(hook))
        .sort()
    )
  })
})
