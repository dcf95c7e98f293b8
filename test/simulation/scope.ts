/**
 * The small scope: an organization with an owner and two more seats, and what three people may do there
 * at once.
 *
 * @module
 */
import * as seatgate from '../../src/index.ts'
import type { Result } from '../../src/index.ts'
import type { FullSeatgate } from '../kit/flat-options.ts'
import type { LedgerState } from '../../src/testing/index.ts'
import type { Connection } from './sqlite.ts'

/** What is there before anybody begins. */
export interface Ground {
  readonly organizationId: string
  readonly invitationId: string
  readonly token: string
}

const operator = { userId: 'operator', operator: true }
const owner = 'user-1'
const as = ({ organizationId }: Ground, userId = owner) => ({
  caller: { userId },
  organization: organizationId,
})

type Act = (library: FullSeatgate, ground: Ground) => Promise<Result<unknown>>

/** The operations that touch seats. `user-2` is a member, `user-3` is suspended, `user-4` is invited. */
export const ACTS = {
  add: (library, ground) =>
    seatgate.addMember(library, as(ground), { userId: 'user-5', role: 'member' }),
  'add another': (library, ground) =>
    seatgate.addMember(library, as(ground), { userId: 'user-6', role: 'member' }),
  remove: (library, ground) => seatgate.removeMember(library, as(ground), 'user-2'),
  suspend: (library, ground) => seatgate.suspendMember(library, as(ground), 'user-2'),
  restore: (library, ground) => seatgate.restoreMember(library, as(ground), 'user-3'),
  invite: (library, ground) =>
    seatgate.createInvitation(library, as(ground), {
      email: 'user-5@people.example',
      role: 'member',
    }),
  accept: (library, { token }) =>
    seatgate.acceptInvitation(library, { caller: { userId: 'user-4' } }, { token }),
  revoke: (library, ground) => seatgate.revokeInvitation(library, as(ground), ground.invitationId),
  'lower the limit': (library, { organizationId }) =>
    seatgate.setSeatLimit(
      library,
      { caller: operator, organization: organizationId },
      { limit: 2 }
    ),
} satisfies Record<string, Act>

export type ActName = keyof typeof ACTS

/** The operations that can be tried. */
export const actNames = Object.keys(ACTS) as readonly ActName[]

/** Whether an invitation is there, which holds the third seat. */
export function needsInvitation(acts: readonly ActName[]): boolean {
  return acts.some((act) => act === 'accept' || act === 'revoke')
}

/** Makes the organization, in peace. */
export async function layGround(library: FullSeatgate, invited: boolean): Promise<Ground> {
  const sure = <T>(result: Result<T>): T => {
    if (!result.ok) throw new Error(`The ground was refused: ${result.error.code}`)
    return result.value
  }
  const caller = { userId: owner }
  const draft = { name: 'Small', slug: 'small' }
  const { id: organizationId } = sure(await seatgate.createOrganization(library, { caller }, draft))
  const ground = { organizationId, invitationId: '', token: '' }
  const scope = { caller: operator, organization: organizationId }
  sure(await seatgate.setSeatLimit(library, scope, { limit: 3 }))
  for (const userId of ['user-3', 'user-2']) {
    sure(await seatgate.addMember(library, as(ground), { userId, role: 'member' }))
    if (userId === 'user-3') sure(await seatgate.suspendMember(library, as(ground), userId))
  }
  if (!invited) return ground
  const input = { email: 'user-4@people.example', role: 'member' }
  const { id, token } = sure(await seatgate.createInvitation(library, as(ground), input))
  return { organizationId, invitationId: id, token }
}

/** Every choice of three operations, each at most twice. */
export function triples(): readonly (readonly ActName[])[] {
  return actNames.flatMap((first, a) =>
    actNames
      .slice(a)
      .flatMap((second, b) => actNames.slice(a + b).map((third) => [first, second, third] as const))
      .filter(([one, two, three]) => !(one === two && two === three))
  )
}

/** What tells one state of the two stores from another. Times do not. */
export function held(connection: Connection, ledger: LedgerState | null): unknown {
  const told = ledger && [ledger.version, ledger.limit_seats, ledger.seats]
  return [STORED.map((sql) => connection.all(sql)), told]
}

const STORED = [
  'SELECT user_id, seat_id, status FROM seatgate_memberships ORDER BY user_id',
  `SELECT id, seat_id, accepted_at IS NULL AS a, revoked_at IS NULL AS r FROM seatgate_invitations
    ORDER BY id`,
  'SELECT seat_id FROM seatgate_seat_fences ORDER BY seat_id',
  'SELECT version, limit_seats FROM seatgate_entitlements',
  'SELECT id, action FROM seatgate_audit_events ORDER BY id',
]
