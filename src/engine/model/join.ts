import type { Runtime } from '../../base/runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import * as v from 'valibot'
import { memberEvent } from '../audit/event.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { ExclusionRow, InvitationRow } from '../../database/schema.ts'
import { withHook } from './after-hooks.ts'
import type { AddPath } from './hooks.ts'
import { parseInput } from '../../base/input.ts'
import { endInvitation } from './end-invitation.ts'
import { guardPending, guardUnfinished } from './invitation-guards.ts'
import type { Plan } from './plan.ts'
import { userIdOf, type Principal } from '../access/principal.ts'
import { shortText } from '../../base/text-input.ts'
import { readmit } from './exclusions.ts'
import { membershipView, newMembership, type Membership, type Newcomer } from './membership.ts'
import { claimAsMember } from './membership-claim.ts'
import { roleInput, type AccessContext } from '../access/roles.ts'

/** `created` is false if the person was a member with this role already. */
export interface AddedMember {
  readonly membership: Membership
  readonly created: boolean
}

/** What a function needs that makes memberships. */
export interface AdditionContext
  extends DatabaseContext, Pick<ProviderContext, 'seats'>, Pick<Runtime, 'newId'> {}

/** How somebody comes, where there is more to say of it. */
export interface Arrival {
  /** Default: added directly. */
  readonly path?: 'invitation' | 'signup' | 'domain' | 'request'
  /** The seat that was held for them. */
  readonly seatId?: string | null
  /** The request to join that this ends. */
  readonly requestId?: string | undefined
  /** First in line for the seat. */
  readonly awaited?: boolean
  /** An unfinished invitation to them: nobody takes two seats, so it ends and its seat is theirs. */
  readonly invitation?: InvitationRow | undefined
  /** What kept them from joining by domain: it goes, as somebody lets them in. */
  readonly excluded?: readonly ExclusionRow[]
}

/** What `addMember` and `prepareMember` take. */
export interface AddMemberInput<Role extends string = string> {
  readonly userId: string
  readonly role: Role
}

/** What `addMember` and `prepareMember` take. */
export function parseMember({ roles }: Pick<AccessContext, 'roles'>, input: unknown) {
  return parseInput(
    v.object({ userId: shortText(), role: roleInput(roles) }, 'Must be an object.'),
    input
  )
}

/** The plan of a membership that comes to be; `guards` are what it relies on. */
export function planAddition(
  seatgate: AdditionContext,
  newcomer: Newcomer,
  caller: Principal,
  now: Date,
  guards: readonly Statement[],
  { path, seatId = null, awaited = false, requestId, invitation, excluded = [] }: Arrival = {}
): Plan<AddedMember> {
  const { role } = newcomer
  const row = newMembership(seatgate.newId(), newcomer, now)
  const membership = membershipView(row)
  const door: AddPath = awaited ? 'waiting_line' : (path ?? 'direct')
  const taken = invitation && takeOver(seatgate, invitation, caller, now)
  return {
    value: { membership, created: true },
    before: [{ hook: 'beforeAddMember', state: { ...newcomer, path: door, caller } }],
    statements: [...guards, ...(taken?.statements ?? []), ...readmit(seatgate, excluded)],
    claims: [claimAsMember(seatgate.db, row, { seatId: taken?.seatId ?? seatId, awaited })],
    freedSeats: taken?.freedSeats ?? [],
    events: [
      ...(taken?.events ?? []),
      withHook(
        memberEvent(row, 'organization.member_add', { role, ...recordedPath(path) }),
        'afterAddMember',
        { membership, path: door, requestId: requestId ?? null }
      ),
    ],
  }
}

// Of those who accept as they are, the event of the invitation says how they came.
function recordedPath(path: Arrival['path']) {
  return path === undefined || path === 'invitation' ? {} : { path }
}

// Where it is still open it passes its seat on; else it is tidied away.
function takeOver(
  seatgate: DatabaseContext & Pick<ProviderContext, 'seats'>,
  invitation: InvitationRow,
  caller: Principal,
  now: Date
) {
  const seatId = invitation.expiresAt > now ? invitation.seatId : null
  const by = userIdOf(caller)
  const ending = endInvitation(seatgate, invitation, 'superseded', by, now, seatId !== null)
  const unchanged =
    seatId === null
      ? guardUnfinished(seatgate, invitation)
      : guardPending(seatgate, invitation, now)
  return { ...ending, seatId, statements: [unchanged, ...ending.statements] }
}
