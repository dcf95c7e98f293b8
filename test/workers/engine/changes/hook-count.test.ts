import { eq } from 'drizzle-orm'
import { beforeEach, describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  type AfterStates,
  acceptInvitation,
  acceptInvitationWithSignup,
  addMember,
  changeRole,
  commitTogether,
  createInvitation,
  createInvitations,
  createOrganization,
  declineInvitation,
  declineJoinRequest,
  deleteUser,
  leaveOrganization,
  prepareMember,
  removeMember,
  resendInvitation,
  restoreMember,
  restoreMembers,
  restoreOrganization,
  revokeInvitation,
  setDomainMode,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
  transferOwnership,
  withdrawJoinRequest,
  type Hooks,
  type InvitationWithToken,
} from '../../../../src/index.ts'
import { sweepJobs } from '../../../../src/worker/handlers.ts'
import {
  newAddress,
  userWith,
  approve,
  createJoiningKit,
  joinAs,
  neighbourOf,
  openOrganization,
  freshSlug,
  seeded,
  freshStores,
  testEnv,
  enforcingOr,
  newUser,
  operator,
  PASSWORD,
  type Kit,
  shareOf,
  atScale,
} from '../../../kit/index.ts'

beforeEach(freshStores)

type Told = { readonly [K in keyof AfterStates]: readonly [K, AfterStates[K]] }[keyof AfterStates]

/** What a host knows that hears its `after…` hooks and nothing else. */
interface Books {
  readonly active: number
  readonly members: readonly string[]
  readonly invitations: readonly string[]
  readonly waiting: readonly string[]
  readonly asking: readonly string[]
}

/** The books of the host: any order and any repeat of the calls comes to the same. */
function booksOf(calls: readonly Told[]): Books {
  const once = [...new Map(calls.map((call) => [call[1].eventId, call])).values()]
  const ids = (of: (call: Told) => string | null | undefined) =>
    new Set(once.flatMap((call) => of(call) ?? []))
  const without = (all: ReadonlySet<string>, ...gone: readonly ReadonlySet<string>[]) =>
    [...all].filter((id) => !gone.some((some) => some.has(id))).toSorted()
  const change = ([hook, state]: Told): number => {
    if (hook === 'afterCreateOrganization' || hook === 'afterAddMember') return 1
    if (hook === 'afterMemberSuspend') return -1
    return hook === 'afterMemberRemove' && state.membership.status === 'active' ? -1 : 0
  }
  const queued = ids(
    ([hook, state]) => (hook === 'afterJoinRequestQueue' && state.request.id) || null
  )
  const ended = ids(([hook, state]) => {
    if (hook === 'afterAddMember') return state.requestId
    return hook === 'afterJoinRequestDecline' ||
      hook === 'afterJoinRequestWithdraw' ||
      hook === 'afterJoinRequestClose'
      ? state.request.id
      : null
  })
  return {
    active: once.reduce((sum, call) => sum + change(call), 0),
    members: without(
      ids(([hook, state]) => {
        if (hook === 'afterCreateOrganization') {
          return `${state.organization.id} ${state.organization.founderUserId}`
        }
        if (hook !== 'afterAddMember') return null
        return `${state.membership.organizationId} ${state.membership.userId}`
      }),
      // Nobody comes back here who was removed: a new person comes each time.
      ids(([hook, state]) =>
        hook === 'afterMemberRemove'
          ? `${state.membership.organizationId} ${state.membership.userId}`
          : null
      )
    ),
    invitations: without(
      ids(([hook, state]) => (hook === 'afterInvitationCreate' ? state.invitation.id : null)),
      ids(([hook, state]) =>
        hook === 'afterInvitationAccept' ||
        hook === 'afterInvitationDecline' ||
        hook === 'afterInvitationRevoke'
          ? state.invitation.id
          : null
      )
    ),
    waiting: without(queued, ended),
    asking: without(
      ids(([hook, state]) => (hook === 'afterJoinRequestCreate' ? state.request.id : null)),
      queued,
      ended
    ),
  }
}

/** The same by D1. */
async function truth(): Promise<Books> {
  const list = async (sql: string) =>
    (await testEnv.DB.prepare(sql).all<{ id: string }>()).results.map(({ id }) => id).toSorted()
  const active = await testEnv.DB.prepare(
    "SELECT count(*) AS n FROM seatgate_memberships WHERE status = 'active'"
  ).first<number>('n')
  return {
    active: active ?? 0,
    members: await list("SELECT organization_id || ' ' || user_id AS id FROM seatgate_memberships"),
    invitations: await list(
      'SELECT id FROM seatgate_invitations WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL'
    ),
    waiting: await list("SELECT id FROM seatgate_join_requests WHERE state = 'waiting'"),
    asking: await list("SELECT id FROM seatgate_join_requests WHERE state = 'open'"),
  }
}

/** A host that writes down each call, and fails after every third, so that it comes again. */
function bookkeeper(random: () => number) {
  const calls: Told[] = []
  const hooks = new Proxy({} as Hooks, {
    get(_hooks, hook) {
      if (typeof hook !== 'string' || !hook.startsWith('after')) return undefined
      return (state: AfterStates['afterAddMember']) => {
        calls.push([hook, state] as unknown as Told)
        if (random() < 0.33) throw new Error('The host is down.')
      }
    },
    ownKeys: () => [],
  })
  return { calls, hooks }
}

const callsLeft = async () =>
  (await testEnv.DB.prepare('SELECT count(*) AS n FROM seatgate_jobs').first<number>('n')) ?? 0

const STEPS = atScale({ share: 50, thorough: 80 })

describe.each(enforcingOr('d1'))('a host that counts by its hooks, %s seats', (provider) => {
  it.each(shareOf([1, 2], 1))(
    'agrees with D1 after each step of random changes (seed %i) [C1]',
    async (seed) => {
      const random = seeded(seed)
      const { calls, hooks } = bookkeeper(random)
      // A ledger goes by the time that it is: little passes here, and the hooks are due at once.
      const clock = { ahead: 0 }
      const options = {
        provider,
        hooks,
        now: () => new Date(Date.now() + clock.ahead),
        random: () => 0,
      }
      const kit: Kit = createJoiningKit({
        ...options,
        lifecycle: {
          onDelete: (statements, { userId }) => ({
            ok: true,
            statements: [...statements, kit.seatgate.db.delete(users).where(eq(users.id, userId))],
          }),
        },
      })
      const { seatgate } = kit
      const choose = <T>(list: readonly T[]): T | undefined =>
        list[Math.floor(random() * list.length)]

      const places = [
        await openOrganization(kit, 'auto', 6),
        await openOrganization(kit, 'request', 6),
      ]
      const gone = new Set<string>()
      const tokens = new Map<string, InvitationWithToken>()
      const rowsOf = async (sql: string, ...values: string[]) =>
        (
          await testEnv.DB.prepare(sql)
            .bind(...values)
            .all<{ id: string; role: string }>()
        ).results
      const done = new Map<string, number>()
      // Each door has its turn, in another order each round.
      let turn: string[] = []

      // Ids are random, so that now and then a door needs another turn.
      const isEnough = (step: number) => step >= STEPS && (done.size > 15 || step >= 3 * STEPS)
      for (let step = 0; !isEnough(step); step++) {
        const place = choose(places)!
        const owners = await rowsOf(
          "SELECT user_id AS id, role FROM seatgate_memberships WHERE organization_id = ? AND role = 'owner' AND status = 'active'",
          place.id
        )
        const owner = owners[0]?.id ?? place.owner
        const scope = { caller: { userId: owner }, organization: place.id }
        const inside = await rowsOf(
          'SELECT user_id AS id, role FROM seatgate_memberships WHERE organization_id = ? ORDER BY user_id',
          place.id
        )
        const someone = choose(inside)?.id ?? owner
        const open = await rowsOf(
          'SELECT id, role FROM seatgate_invitations WHERE organization_id = ? AND accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL ORDER BY email',
          place.id
        )
        const invited = tokens.get(choose(open)?.id ?? '')
        const requests = await rowsOf(
          "SELECT id, user_id AS role FROM seatgate_join_requests WHERE organization_id = ? AND state IN ('open', 'waiting') ORDER BY id",
          place.id
        )
        const request = choose(requests)
        const invite = async (email: string) => {
          const made = await createInvitation(seatgate, scope, { email, role: 'member' })
          if (made.ok) tokens.set(made.value.id, made.value)
          return made
        }
        const doors: Readonly<Record<string, () => Promise<unknown>>> = {
          create: async () =>
            createOrganization(
              seatgate,
              { caller: { userId: await newUser() } },
              { name: 'New', slug: freshSlug() }
            ),
          add: async () =>
            addMember(seatgate, scope, {
              userId: await newUser(),
              role: choose(['member', 'owner']) as never,
            }),
          prepare: async () => {
            const userId = await newUser()
            const joining = await prepareMember(seatgate, scope, { userId, role: 'member' })
            return joining.ok ? commitTogether(seatgate, joining.value) : joining
          },
          invite: () => invite(newAddress()),
          'invite again': () => invite(invited?.email ?? newAddress()),
          'invite several': async () => {
            const rows = [newAddress(), newAddress(), invited?.email ?? newAddress()]
            const made = await createInvitations(seatgate, scope, {
              invitations: rows.map((email) => ({ email, role: 'member' })),
            })
            if (!made.ok) return made
            for (const row of made.value) if (row.ok) tokens.set(row.value.id, row.value)
            return made
          },
          accept: async () =>
            invited &&
            acceptInvitation(
              seatgate,
              { caller: { userId: await userWith(invited.email) } },
              { token: invited.token }
            ),
          'sign up': async () =>
            invited &&
            acceptInvitationWithSignup(seatgate, {
              token: invited.token,
              email: invited.email,
              password: PASSWORD,
            }),
          decline: async () =>
            invited && declineInvitation(seatgate, { caller: { type: 'anonymous' } }, invited),
          revoke: async () => invited && revokeInvitation(seatgate, scope, invited.id),
          resend: async () => {
            const again = invited && (await resendInvitation(seatgate, scope, invited.id))
            if (again?.ok) tokens.set(again.value.id, again.value)
            return again
          },
          join: async () => joinAs(kit, place, await neighbourOf(place)),
          approve: async () => request && approve(kit, { ...place, owner }, request.id),
          'decline request': async () => request && declineJoinRequest(seatgate, scope, request.id),
          withdraw: async () =>
            request &&
            withdrawJoinRequest(seatgate, { caller: { userId: request.role } }, request.id),
          'add who asks': async () =>
            request && addMember(seatgate, scope, { userId: request.role, role: 'member' }),
          'open otherwise': () =>
            setDomainMode(seatgate, scope, place.domain.id, {
              mode: choose(['auto', 'request']) as never,
            }),
          limit: () =>
            setSeatLimit(
              seatgate,
              { caller: operator, organization: place.id },
              { limit: 4 + Math.floor(random() * 6) }
            ),
          suspend: () => suspendMember(seatgate, scope, someone),
          restore: () => restoreMember(seatgate, scope, someone),
          'restore several': () => restoreMembers(seatgate, scope, { userIds: [someone] }),
          remove: () => removeMember(seatgate, scope, someone),
          leave: () =>
            leaveOrganization(seatgate, { caller: { userId: someone }, organization: place.id }),
          'delete user': () =>
            deleteUser(seatgate, { caller: { userId: someone } }, { password: PASSWORD }),
          role: () =>
            changeRole(seatgate, scope, someone, { role: choose(['member', 'owner']) as never }),
          transfer: () => transferOwnership(seatgate, scope, { userId: someone }),
          'delete and restore': async () => {
            if (gone.delete(place.id))
              return restoreOrganization(seatgate, { caller: operator }, place.id)
            gone.add(place.id)
            return softDeleteOrganization(seatgate, scope, {
              confirmName: 'Test',
              password: PASSWORD,
            })
          },
        }
        if (turn.length === 0) turn = Object.keys(doors).toSorted(() => random() - 0.5)
        const back = gone.has(place.id) && random() < 0.7
        const name = back ? 'delete and restore' : turn.pop()!
        const answer = (await doors[name]!()) as { readonly ok: boolean } | undefined
        if (answer?.ok) done.set(name, (done.get(name) ?? 0) + 1)
        await kit.settled()
        // What failed comes again, until the host has taken it.
        for (let round = 0; (await callsLeft()) > 0; round++) {
          expect(round).toBeLessThan(20)
          clock.ahead += 2 ** round * 1000
          await sweepJobs(seatgate)
        }
        expect([step, name, booksOf(calls)]).toEqual([step, name, await truth()])
      }
      // In any order, and each twice, it comes to the same.
      const shuffled = [...calls, ...calls].toSorted(() => random() - 0.5)
      expect(booksOf(shuffled)).toEqual(await truth())
      expect(calls.length).toBeGreaterThan(new Set(calls.map(([, { eventId }]) => eventId)).size)
      expect(done.size).toBeGreaterThan(15)
    },
    240_000
  )
})
