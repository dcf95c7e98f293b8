import * as v from 'valibot'
import { attributionOf, memberEvent } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { LineOfText, parseInput } from '../input.ts'
import { afterHook } from '../operations/intent.ts'
import type { Plan } from '../operations/plan.ts'
import type { Principal } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { membershipView, type Membership } from './membership.ts'
import { roleInput } from './roles.ts'

/** `created` is false if the person was a member with this role already. */
export interface AddedMember {
  readonly membership: Membership
  readonly created: boolean
}

/** Somebody who is to become a member. */
export interface Newcomer {
  readonly organizationId: string
  readonly userId: string
  readonly role: string
}

/** How somebody came who was not put there: by their domain or on request, waiting in line or not. */
export interface Arrival {
  readonly path?: 'domain' | 'request'
  readonly awaited?: boolean
}

/** What `addMember` and `prepareMember` take. */
export function parseMember({ roles }: Seatgate, input: unknown) {
  return parseInput(
    v.object({ userId: UserId, role: roleInput(roles) }, 'Must be an object.'),
    input
  )
}

/** The plan of a membership that comes to be; `guards` are what it relies on. */
export function planAddition(
  seatgate: Seatgate,
  { organizationId, userId, role }: Newcomer,
  caller: Principal,
  now: Date,
  guards: readonly Statement[],
  { path, awaited = false }: Arrival = {}
): Plan<AddedMember> {
  const row = {
    id: seatgate.newId(),
    organizationId,
    userId,
    role,
    status: 'active',
    suspendedBy: null,
    createdAt: now,
    updatedAt: now,
  } as const
  const membership = membershipView(row)
  return {
    value: { membership, created: true },
    before: { hook: 'beforeAddMember', state: { organizationId, userId, role, caller } },
    statements: guards,
    admissions: [{ kind: 'join', membership: row, awaited }],
    events: [memberEvent(row, 'organization.member_add', { role, ...(path && { path }) })],
    intents: afterHook(seatgate, 'afterAddMember', organizationId, {
      membership,
      actor: attributionOf(caller).actor,
    }),
  }
}

const UserId = v.pipe(
  LineOfText,
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(255, 'Must be at most 255 characters long.')
)
