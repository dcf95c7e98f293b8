import type { Runtime } from '../../base/runtime.ts'
import type { ProviderContext } from '../seats/provider.ts'
import * as v from 'valibot'
import { memberEvent } from '../audit/event.ts'
import type { Statement, UserContext } from '../../database/database.ts'
import type { ExclusionRow } from '../../database/schema/joining-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { withHook, type Plan } from './plan.ts'
import type { AddPath } from './hooks.ts'
import { parseInput, shortText } from '../../base/input.ts'
import type { InvitedMembers } from './invited-members.ts'
import type { Principal } from '../access/principal.ts'
import type { JoiningMembersContext } from './joining-members.ts'
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
  extends
    UserContext,
    AccessContext,
    JoiningMembersContext,
    Pick<ProviderContext, 'seats'>,
    Pick<Runtime, 'newId'> {
  /** Null without the part. */
  readonly invitations: { readonly members: InvitedMembers } | null
}

/** How a user joins, if there is more to it. */
export interface JoinDetails {
  /** Default: added directly. */
  readonly path?: 'invitation' | 'signup' | 'domain' | 'request' | 'link' | 'scim'
  /** The seat that is reserved for them. */
  readonly seatId?: string | null
  /** The request to join that ends with it. */
  readonly requestId?: string | undefined
  /** Whether they are first on the waitlist for the seat. */
  readonly awaited?: boolean
  /** The open invitation to them, if one was found. Without this no invitation is looked for. */
  readonly invited?: readonly InvitationRow[]
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
  { path, seatId = null, awaited = false, requestId, invited, excluded = [] }: JoinDetails = {}
): Plan<AddedMember> {
  const { role } = newcomer
  const row = newMembership(context.newId(), newcomer, now)
  const membership = membershipView(row)
  const door: AddPath = awaited ? 'waiting_line' : (path ?? 'direct')
  const taken =
    invited && context.invitations?.members.takeOver(context, newcomer, invited, caller, now)
  return {
    value: { membership, created: true },
    before: [{ hook: 'beforeAddMember', state: { ...newcomer, path: door, caller } }],
    statements: [
      ...guards,
      ...(taken?.statements ?? []),
      ...(context.joining?.members.readmit(context, excluded) ?? []),
    ],
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
