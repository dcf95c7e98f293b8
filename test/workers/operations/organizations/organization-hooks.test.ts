import { describe, expect, it } from 'vitest'
import { HOOKS } from '../../../../src/engine/model/hooks.ts'
import { composeLifecycle } from '../../../../src/index.ts'
import {
  everyHook,
  kitWithHooks,
  EVERY_CHANGE,
  newTeam,
  codeOf,
  createKit,
} from '../../../kit/index.ts'

const pair = (act: string) => [`before${act}`, `after${act}`] as const

/** Which hooks a function asks and tells, in this order. */
const HEARD: Readonly<Record<string, readonly string[]>> = {
  createOrganization: pair('CreateOrganization'),
  softDeleteOrganization: [
    'beforeDeleteOrganization',
    // The open invitations of the team end with it.
    'afterInvitationRevoke',
    'afterInvitationRevoke',
    'afterInvitationRevoke',
    'afterDeleteOrganization',
  ],
  restoreOrganization: pair('RestoreOrganization'),
  addMember: pair('AddMember'),
  changeRole: pair('RoleChange'),
  removeMember: pair('MemberRemove'),
  // The owner of the team has sent three invitations, which end with the membership.
  leaveOrganization: [
    ...pair('MemberRemove'),
    'afterInvitationRevoke',
    'afterInvitationRevoke',
    'afterInvitationRevoke',
  ],
  suspendMember: pair('MemberSuspend'),
  restoreMember: pair('AddMember'),
  restoreMembers: pair('AddMember'),
  transferOwnership: pair('Transfer'),
  deleteUser: ['onDelete', 'afterMemberRemove'],
  'prepareOrganization and commitTogether': pair('CreateOrganization'),
  'prepareMember and commitTogether': pair('AddMember'),
  'prepareUserDeletion and commitTogether': ['onDelete', 'afterMemberRemove'],
  createInvitation: pair('InvitationCreate'),
  'createInvitation, of somebody who is invited': [
    'beforeInvitationCreate',
    'afterInvitationRevoke',
    'afterInvitationCreate',
  ],
  createInvitations: [
    'beforeInvitationCreate',
    'beforeInvitationCreate',
    'afterInvitationRevoke',
    'afterInvitationCreate',
    'afterInvitationCreate',
  ],
  resendInvitation: pair('InvitationResend'),
  changeInvitationRole: pair('InvitationRoleChange'),
  revokeInvitation: pair('InvitationRevoke'),
  declineInvitation: pair('InvitationDecline'),
  acceptInvitation: [
    'beforeInvitationAccept',
    'beforeAddMember',
    'afterAddMember',
    'afterInvitationAccept',
  ],
  acceptInvitationWithSignup: [
    'beforeInvitationAccept',
    'beforeAddMember',
    'afterAddMember',
    'afterInvitationAccept',
  ],
  'acceptInvitation, of a member': pair('InvitationAccept'),
  addDomain: pair('DomainAdd'),
  verifyDomain: pair('DomainVerify'),
  setDomainMode: pair('DomainChange'),
  removeDomain: pair('DomainRemove'),
  'joinOrganization, by its domain': pair('AddMember'),
  'joinOrganization, on request': pair('JoinRequestCreate'),
  approveJoinRequest: [
    'beforeJoinRequestApprove',
    'beforeAddMember',
    'afterJoinRequestApprove',
    'afterAddMember',
  ],
  declineJoinRequest: pair('JoinRequestDecline'),
  withdrawJoinRequest: pair('JoinRequestWithdraw'),
}

/** What the line alone asks and tells: `test/workers/engine/changes/hook-doors.test.ts`. */
const IN_LINE = ['beforeJoinRequestQueue', 'afterJoinRequestQueue', 'afterJoinRequestClose']

/** The hook of billing's notices: `test/workers/operations/billing/limit-notices.test.ts`. */
const OF_NOTICES = ['afterLimitNotice']

describe('a hook in the configuration', () => {
  it.each(EVERY_CHANGE.map((mutator) => [mutator.name, mutator] as const))(
    'is called once by its operation: %s [ORG-41 C1]',
    async (name, { act }) => {
      const team = await newTeam('d1')
      const called: string[] = []
      const kit = kitWithHooks({ provider: 'd1' }, (hook) => called.push(hook))
      expect(codeOf(await act(kit.seatgate, team))).toBe('ok')
      await kit.settled()
      expect(called).toEqual(HEARD[name] ?? [])
    }
  )

  it('is called by at least one operation [ORG-41]', async () => {
    const heard = new Set([...Object.values(HEARD).flat(), ...IN_LINE, ...OF_NOTICES])
    const lifecycle = Object.entries(HOOKS).flatMap(([name, { inBatch }]) =>
      inBatch ? [name] : []
    )
    const asked: string[] = []
    const { seatgate } = createKit({
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
