import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  acceptInvitation,
  changeRole,
  createInvitation,
  declineInvitation,
  deleteUser,
  leaveOrganization,
  removeMember,
  resendInvitation,
  revokeInvitation,
  setDomainMode,
  setSeatLimit,
  suspendMember,
  transferOwnership,
} from '../../../../src/index.ts'
import {
  takeAddress,
  userWith,
  createJoiningKit,
  joinAs,
  openOrganization,
  testEnv,
  unwrap,
  codeOf,
  join,
  PASSWORD,
  shareOf,
} from '../../../kit/index.ts'

const pages = import.meta.glob(['../../../../docs/invitations.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const documentation = pages['../../../../docs/invitations.md'] ?? ''

/** The rows of the table: whose state it is, and what accepting and joining are answered. */
const ROWS = documentation.split('\n').flatMap((line) => {
  const [, of, state, accepting, joining] = line.split('|').map((cell) => cell.trim())
  if (!/^(?:invitation|address|person|inviter)$/.test(of ?? '')) return []
  const codeIn = (cell = '') => /^`(\w+)`$/.exec(cell)?.[1] ?? null
  return [{ row: `${of}: ${state}`, accepting: codeIn(accepting), joining: codeIn(joining) }]
})

/** An organization whose domain lets in, and a user there whom an inviter has invited. */
async function scene() {
  const kit = createJoiningKit({
    lifecycle: {
      onDelete: (statements, { userId }) => ({
        ok: true,
        statements: [...statements, kit.seatgate.db.delete(users).where(eq(users.id, userId))],
      }),
    },
  })
  const organization = await openOrganization(kit, 'auto', 10)
  const email = `${crypto.randomUUID()}@${organization.domain.domain}`
  return {
    kit,
    organization,
    email,
    userId: await userWith(email),
    inviter: await join(kit, organization, 'owner'),
    role: 'member',
    asOwner: organization.as(organization.owner),
    token: '',
    id: '',
  }
}

type Scene = Awaited<ReturnType<typeof scene>>

async function invite(scene: Scene, email = scene.email): Promise<void> {
  const { kit, organization, inviter, role } = scene
  const scope = organization.as(inviter)
  const { token, id } = unwrap(await createInvitation(kit.seatgate, scope, { email, role }))
  Object.assign(scene, { token, id })
  await kit.settled()
}

const write = (sql: string, ...parameters: readonly unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...parameters)
    .run()

const accept = ({ kit, userId, token }: Scene) =>
  acceptInvitation(kit.seatgate, { caller: { userId } }, { token })

/** The user is in by the domain, and invited by an owner as of before. */
async function comeIn(scene: Scene): Promise<void> {
  const { kit, organization, userId } = scene
  unwrap(await joinAs(kit, organization, userId))
  await kit.settled()
}

async function removed(scene: Scene): Promise<void> {
  const { kit, asOwner, userId } = scene
  await comeIn(scene)
  await inviteMember(scene)
  unwrap(await removeMember(kit.seatgate, asOwner, userId))
}

/** An invitation to the address of a member: it has come before they took the address. */
async function inviteMember(scene: Scene): Promise<void> {
  const other = `${crypto.randomUUID()}@${scene.organization.domain.domain}`
  await takeAddress(scene.userId, other)
  await invite(scene)
  await takeAddress(scene.userId, scene.email)
}

async function anotherAccount(scene: Scene): Promise<void> {
  const { kit, userId, email } = scene
  unwrap(await deleteUser(kit.seatgate, { caller: { userId } }, { password: PASSWORD }))
  await kit.settled()
  scene.userId = await userWith(email)
}

async function suspended(scene: Scene): Promise<void> {
  const { kit, asOwner, userId } = scene
  await comeIn(scene)
  await inviteMember(scene)
  unwrap(await suspendMember(kit.seatgate, asOwner, userId))
}

/** What has happened, for each row. */
const HAPPENED: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  'invitation: open': (at) => invite(at),
  'invitation: sent again': async (at) => {
    await invite(at)
    const { kit, asOwner, id } = at
    const { token } = unwrap(await resendInvitation(kit.seatgate, asOwner, id))
    expect(codeOf(await accept(at))).toBe('invitation_revoked')
    at.token = token
  },
  'invitation: superseded by another': async (at) => {
    await invite(at)
    const { token } = at
    await invite(at)
    at.token = token
  },
  'invitation: to a role that is gone': async (at) => {
    await invite(at)
    await write("UPDATE seatgate_invitations SET role = 'editor' WHERE id = ?", at.id)
  },
  'invitation: expired': async (at) => {
    await invite(at)
    await write('UPDATE seatgate_invitations SET expires_at = 1 WHERE id = ?', at.id)
  },
  'invitation: revoked': async (at) => {
    await invite(at)
    unwrap(await revokeInvitation(at.kit.seatgate, at.asOwner, at.id))
  },
  'invitation: declined': async (at) => {
    await invite(at)
    const { token } = at
    const anonymous = { caller: { type: 'anonymous' } } as const
    unwrap(await declineInvitation(at.kit.seatgate, anonymous, { token }))
  },
  'invitation: accepted': async (at) => {
    await invite(at)
    unwrap(await accept(at))
  },
  'address: not verified': async (at) => {
    await write('UPDATE users SET email_verified_at = NULL WHERE id = ?', at.userId)
    await invite(at)
  },
  'address: verified by the mailed token': async (at) => {
    const { kit, organization, userId, asOwner, email } = at
    await write('UPDATE users SET email_verified_at = NULL WHERE id = ?', userId)
    const input = { email, role: 'member' }
    const mailed = unwrap(await createInvitation(kit.seatgate, asOwner, input))
    const { mailToken: token } = mailed
    unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, { token }))
    unwrap(
      await leaveOrganization(kit.seatgate, { caller: { userId }, organization: organization.id })
    )
    await kit.settled()
    await invite(at)
  },
  'address: verified by the host': (at) => invite(at),
  'address: verified, of another domain': async (at) => {
    at.email = `${crypto.randomUUID()}@elsewhere.example`
    await takeAddress(at.userId, at.email)
    await invite(at)
  },
  'address: changed since': async (at) => {
    await invite(at)
    const other = `${crypto.randomUUID()}@${at.organization.domain.domain}`
    const change = 'UPDATE users SET email = ?, email_verified_at = NULL WHERE id = ?'
    await write(change, other, at.userId)
  },
  'person: new': (at) => invite(at),
  'person: asking': async (at) => {
    const { kit, asOwner, organization } = at
    unwrap(await setDomainMode(kit.seatgate, asOwner, organization.domain.id, { mode: 'request' }))
    await comeIn(at)
    await invite(at)
  },
  'person: waiting in line': async (at) => {
    await invite(at)
    const { kit, organization, userId } = at
    const limitTo = (limit: number) =>
      setSeatLimit(kit.seatgate, organization.asOperator, { limit })
    // The seat of an invitation to somebody else is the last one.
    await takeAddress(userId, `${crypto.randomUUID()}@${organization.domain.domain}`)
    unwrap(await limitTo(3))
    unwrap(await joinAs(kit, organization, userId))
    await takeAddress(userId, at.email)
    await kit.settled()
  },
  'person: member': async (at) => {
    await comeIn(at)
    await inviteMember(at)
  },
  'person: suspended': async (at) => {
    await suspended(at)
    await inviteMember(at)
  },
  'person: removed by another': removed,
  'person: removed, with another account of the address': async (at) => {
    await removed(at)
    await anotherAccount(at)
  },
  'person: suspended, with another account of the address': async (at) => {
    await suspended(at)
    await anotherAccount(at)
  },
  'person: left': async (at) => {
    const { kit, organization, userId } = at
    await comeIn(at)
    await inviteMember(at)
    unwrap(
      await leaveOrganization(kit.seatgate, { caller: { userId }, organization: organization.id })
    )
  },
  'inviter: in their role': (at) => invite(at),
  'inviter: demoted': async (at) => {
    await invite(at)
    unwrap(await changeRole(at.kit.seatgate, at.asOwner, at.inviter, { role: 'member' }))
  },
  'inviter: demoted, and could still send it': async (at) => {
    await invite(at)
    unwrap(await changeRole(at.kit.seatgate, at.asOwner, at.inviter, { role: 'admin' }))
  },
  'inviter: suspended': async (at) => {
    await invite(at)
    unwrap(await suspendMember(at.kit.seatgate, at.asOwner, at.inviter))
  },
  'inviter: removed': async (at) => {
    await invite(at)
    unwrap(await removeMember(at.kit.seatgate, at.asOwner, at.inviter))
  },
  'inviter: left': async (at) => {
    await invite(at)
    const { organization, inviter: userId } = at
    unwrap(
      await leaveOrganization(at.kit.seatgate, {
        caller: { userId },
        organization: organization.id,
      })
    )
  },
  'inviter: deleted': async (at) => {
    await invite(at)
    const { inviter: userId } = at
    unwrap(await deleteUser(at.kit.seatgate, { caller: { userId } }, { password: PASSWORD }))
  },
  'inviter: no owner any more, after a transfer': async (at) => {
    at.role = 'owner'
    await invite(at)
    const { kit, organization, inviter } = at
    const input = { userId: organization.owner, role: 'admin', password: PASSWORD }
    unwrap(await transferOwnership(kit.seatgate, organization.as(inviter), input))
  },
  'inviter: the host itself': async (at) => {
    const { kit, organization, email } = at
    const scope = { caller: { type: 'system' }, organization: organization.id } as const
    const input = { email, role: 'member' }
    const { token } = unwrap(await createInvitation(kit.seatgate, scope, input))
    at.token = token
  },
}

describe('the table of states in docs/invitations.md', () => {
  it('has a row for each, and a test for each row [A1 A2]', () => {
    expect(ROWS.map(({ row }) => row)).toEqual(Object.keys(HAPPENED))
  })

  it.each(shareOf(ROWS, 9))(
    '$row: accepting is answered $accepting [A1 A2]',
    async ({ row, accepting }) => {
      const at = await scene()
      await HAPPENED[row]!(at)
      await at.kit.settled()
      expect(codeOf(await accept(at))).toBe(accepting)
      await at.kit.settled()
    }
  )

  const joins = ROWS.filter(({ joining }) => joining !== null)
  it.each(shareOf(joins, 9))(
    '$row: joining is answered $joining [A1 A2]',
    async ({ row, joining }) => {
      const at = await scene()
      await HAPPENED[row]!(at)
      await at.kit.settled()
      const answer = await joinAs(at.kit, at.organization, at.userId)
      expect(answer.ok ? answer.value.status : answer.error.code).toBe(joining)
      await at.kit.settled()
    }
  )
})
