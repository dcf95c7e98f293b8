import { deleteAccount } from '../../../host/identity/routes.ts'
import {
  acceptInvitation,
  addMember,
  changeInvitationRole,
  changeRole,
  createInvitation,
  createOrganization,
  deleteUser,
  leaveOrganization,
  listMembers,
  listOrganizations,
  removeMember,
  resendInvitation,
  restoreMembers,
  revokeInvitation,
  seatUsage,
  setSeatLimit,
  suspendMember,
  transferOwnership,
  type LifecycleHook,
  type Refusal,
  type Result,
  type SeatUsage,
} from '../../../src/index.ts'
import {
  muchLater,
  passTime,
  testEnv,
  createKit,
  newUsers,
  operator,
  PASSWORD,
} from '../../kit/index.ts'
import type { Answer, Code, Driver, Person, Product, Usage } from '../driver.ts'

const CODES: Partial<Record<Refusal['code'], Code>> = {
  seat_limit_reached: 'full',
  seats_unavailable: 'unavailable',
  unavailable: 'broken',
  last_owner: 'last_owner',
  already_member: 'already_member',
  insufficient_role: 'forbidden',
  organization_not_found: 'forbidden',
  invitation_mismatch: 'forbidden',
  invitation_already_accepted: 'gone',
  invitation_expired: 'gone',
  invitation_revoked: 'gone',
  operation_in_progress: 'busy',
}

/** This library, with one of its seat providers. */
export function seatgateDriver(name: string, provider: 'ledger' | 'd1'): Driver {
  return {
    name,
    lacks:
      provider === 'ledger'
        ? {}
        : {
            seatStore: 'seats are counted in D1, so there is no separate store that could fail',
          },
    // Its migrations are applied before every test file.
    async prepare() {},
    open: (around) => product(provider, around),
    async people(count) {
      const ids = await newUsers(count)
      return ids.map((id) => ({ id, email: `${id}@example.com` }))
    },
    async tables(organization) {
      const of = (sql: string) => testEnv.DB.prepare(sql).bind(organization)
      const [members, pending] = await testEnv.DB.batch([
        of('SELECT user_id, role, status FROM seatgate_memberships WHERE organization_id = ?'),
        of(`SELECT id FROM seatgate_invitations WHERE organization_id = ? AND accepted_at IS NULL
          AND revoked_at IS NULL AND declined_at IS NULL AND expires_at > ${Date.now()}`),
      ])
      const rows = (members?.results ?? []) as { user_id: string; role: string; status: string }[]
      return {
        members: rows.map((row) => ({
          userId: row.user_id,
          role: row.role,
          active: row.status === 'active',
        })),
        pending: pending?.results.length ?? 0,
      }
    },
    async later(organization, seconds) {
      passTime(seconds * 1000)
      await muchLater(provider === 'ledger' ? organization : null)
    },
  }
}

function product(provider: 'ledger' | 'd1', around: Parameters<Driver['open']>[0]): Product {
  // The account goes with the library's own statements, so it takes the library's own handle.
  const onDelete: LifecycleHook = (statements, state) =>
    deleteAccount(seatgate.db)(statements, state)
  const { seatgate, settled } = createKit({
    provider,
    // What has no limit on record may not grow.
    defaultSeatLimit: 0,
    lifecycle: { onDelete },
    ...(around && { around }),
  })
  const by = ({ id }: Person) => ({ caller: { userId: id } })
  const within = (organization: string, person: Person) => ({ ...by(person), organization })
  const asOperator = (organization: string) => ({ caller: operator, organization })
  const once = (operationId: string | undefined) =>
    operationId === undefined ? {} : { operationId }
  return {
    async createOrganization(owner, limit) {
      const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
      const created = await createOrganization(seatgate, by(owner), { name: 'Test', slug })
      if (!created.ok) return answer(created)
      await setSeatLimit(seatgate, asOperator(created.value.id), { limit: limit as never })
      return { ok: true, value: created.value.id }
    },
    setLimit: async (organization, limit, version) =>
      usageAnswer(
        await setSeatLimit(seatgate, asOperator(organization), { limit, version } as never)
      ),
    usage: async (person, organization) =>
      usageAnswer(await seatUsage(seatgate, within(organization, person))),
    add: async (person, organization, { id: userId }, role = 'member', operationId) =>
      answer(
        await addMember(seatgate, within(organization, person), { userId, role }, once(operationId))
      ),
    remove: async (person, organization, { id }, operationId) =>
      answer(await removeMember(seatgate, within(organization, person), id, once(operationId))),
    leave: async (person, organization) =>
      answer(await leaveOrganization(seatgate, within(organization, person))),
    changeRole: async (person, organization, { id }, role) =>
      answer(await changeRole(seatgate, within(organization, person), id, { role })),
    transfer: async (person, organization, { id: userId }) =>
      answer(
        await transferOwnership(seatgate, within(organization, person), {
          userId,
          password: PASSWORD,
        })
      ),
    suspend: async (person, organization, { id }) =>
      answer(await suspendMember(seatgate, within(organization, person), id)),
    restore: async (person, organization, people) =>
      answer(
        await restoreMembers(seatgate, within(organization, person), {
          userIds: people.map(({ id }) => id),
        })
      ),
    deleteUser: async (person) =>
      answer(await deleteUser(seatgate, by(person), { password: PASSWORD })),
    invite: async (person, organization, email, role = 'member') =>
      answer(await createInvitation(seatgate, within(organization, person), { email, role })),
    resend: async (person, organization, { id }) =>
      answer(await resendInvitation(seatgate, within(organization, person), id)),
    changeInvitationRole: async (person, organization, { id }, role) =>
      answer(await changeInvitationRole(seatgate, within(organization, person), id, { role })),
    revoke: async (person, organization, { id }) =>
      answer(await revokeInvitation(seatgate, within(organization, person), id)),
    accept: async (person, { token }) =>
      answer(await acceptInvitation(seatgate, by(person), { token })),
    async members(person, organization) {
      const page = await listMembers(seatgate, within(organization, person))
      return answer(page, ({ data }) => data.map(({ userId }) => userId))
    },
    async organizations(person) {
      const page = await listOrganizations(seatgate, by(person))
      return answer(page, ({ data }) => data.map(({ organization }) => organization.id))
    },
    settled,
  }
}

function answer<T, U = T>(result: Result<T>, view?: (value: T) => U): Answer<U> {
  if (result.ok) return { ok: true, value: view ? view(result.value) : (result.value as never) }
  const { error } = result
  const numbers =
    error.code === 'seat_limit_reached' ? { limit: error.limit, used: error.used } : {}
  return { ok: false, code: CODES[error.code] ?? 'invalid', said: error.code, ...numbers }
}

function usageAnswer(result: Result<SeatUsage>): Answer<Usage> {
  return answer(result, ({ limit, held, reserved, overLimit }) => ({
    limit: typeof limit === 'number' ? limit : Infinity,
    used: held + reserved,
    overLimit,
  }))
}
