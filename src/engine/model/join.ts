import type { Runtime } from '../../base/runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import * as v from 'valibot'
import { memberEvent } from '../audit/event.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { ExclusionRow, InvitationRow } from '../../database/schema.ts'
import { withHook, type Plan } from './plan.ts'
import type { AddPath } from './hooks.ts'
import { parseInput, shortText } from '../../base/input.ts'
import { endInvitation } from './end-invitation.ts'
import { guardPending, guardUnfinished } from './invitation.ts'
import { userIdOf, type Principal } from '../access/principal.ts'
import { readmit } from './exclusions.ts'
import {
  claimAsMember,
  membershipView,
  newMembership,
  type Membership,
  type Newcomer,
} from './membership.ts'
import { roleInput, type AccessContext } from '../access/roles.ts'

/** `created` is false if the user was already a member with this role. */
export interface AddedMember {
  readonly membership: Membership
  readonly created: boolean
}

/** The context of a function that creates memberships. */
export interface JoinContext
  extends DatabaseContext, Pick<ProviderContext, 'seats'>, Pick<Runtime, 'newId'> {}

/** How a user joins, if there is more to it. */
export interface JoinDetails {
  /** Default: added directly. */
  readonly path?: 'invitation' | 'signup' | 'domain' | 'request'
  /** The seat that is reserved for them. */
  readonly seatId?: string | null
  /** The request to join that ends with it. */
  readonly requestId?: string | undefined
  /** Whether they are first on the waitlist for the seat. */
  readonly awaited?: boolean
  /** An open invitation to them. It ends and passes its seat on, so that no user takes two seats. */
  readonly invitation?: InvitationRow | undefined
  /** The rows that excluded them from joining by domain, which are deleted because they are let in. */
  readonly excluded?: readonly ExclusionRow[]
}

/** The input of `addMember` and `prepareMember`. */
export interface AddMemberInput<Role extends string = string> {
  readonly userId: string
  readonly role: Role
}

/** Parses the input of `addMember` and `prepareMember`. */
export function parseMember({ roles }: Pick<AccessContext, 'roles'>, input: unknown) {
  return parseInput(
    v.object({ userId: shortText(), role: roleInput(roles) }, 'Must be an object.'),
    input
  )
}

/** Plans a new membership; `guards` are the conditions that it relies on. */
export function planJoin(
  context: JoinContext,
  newcomer: Newcomer,
  caller: Principal,
  now: Date,
  guards: readonly Statement[],
  { path, seatId = null, awaited = false, requestId, invitation, excluded = [] }: JoinDetails = {}
): Plan<AddedMember> {
  const { role } = newcomer
  const row = newMembership(context.newId(), newcomer, now)
  const membership = membershipView(row)
  const door: AddPath = awaited ? 'waiting_line' : (path ?? 'direct')
  const taken = invitation && takeOver(context, invitation, caller, now)
  return {
    value: { membership, created: true },
    before: [{ hook: 'beforeAddMember', state: { ...newcomer, path: door, caller } }],
    statements: [...guards, ...(taken?.statements ?? []), ...readmit(context, excluded)],
    claims: [claimAsMember(context.db, row, { seatId: taken?.seatId ?? seatId, awaited })],
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

// For an acceptance the event of the invitation records the path.
function recordedPath(path: JoinDetails['path']) {
  return path === undefined || path === 'invitation' ? {} : { path }
}

// An open invitation passes its seat on; an expired one is only ended.
function takeOver(
  context: DatabaseContext & Pick<ProviderContext, 'seats'>,
  invitation: InvitationRow,
  caller: Principal,
  now: Date
) {
  const seatId = invitation.expiresAt > now ? invitation.seatId : null
  const by = userIdOf(caller)
  const ending = endInvitation(context, invitation, 'superseded', by, now, seatId !== null)
  const unchanged =
    seatId === null ? guardUnfinished(context, invitation) : guardPending(context, invitation, now)
  return { ...ending, seatId, statements: [unchanged, ...ending.statements] }
}
