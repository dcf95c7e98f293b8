import {
  authenticateImpersonation,
  endImpersonation,
  startImpersonation,
} from '../../../src/hono/impersonation/index.ts'
import { addToGroup, removeFromGroup, updateGroup } from '../../../src/hono/groups/index.ts'
import { deleteRole, updateRole } from '../../../src/hono/roles/index.ts'
import * as seatgate from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import { ACTING } from '../delegation/acting.ts'
import {
  administrator,
  anyMember,
  anyRole,
  once,
  operator,
  PASSWORD,
  repeatable,
  type Act,
  type Occasion,
} from './deed.ts'
import { actOf } from './keys.ts'
import { delegated, keeping, type AccessDeeds, type AccessMaker, type Ways } from './ways.ts'

/** The token of an impersonation, at times of one that has ended, and its id. */
function aToken({ random }: Occasion, { facts, secrets }: Ways) {
  const told = [...secrets.keys()].filter((id) => secrets.get(id)?.startsWith('sg_impersonation-'))
  const { impersonations } = facts.delegation
  const endOf = (id: string) => impersonations.get(id)?.expires_at ?? 0
  const running = told
    .filter((id) => impersonations.has(id))
    .toSorted((a, b) => endOf(a) - endOf(b))
  const among = random.chance(0.9) && running.length > 0 ? running : told
  const id = random.chance(0.5) ? among[0] : random.pick(among)
  return id === undefined ? null : { id, token: secrets.get(id) ?? '' }
}

const callerOf = (token: string) => (library: FullSeatgate) => {
  const header = () => `Bearer ${token}`
  const authenticate = authenticateImpersonation(delegated(library))
  return authenticate({ req: { header } } as never) as seatgate.Caller
}

type ScopeIn = (library: FullSeatgate) => seatgate.OrganizationScope

/** What only concerns own roles, groups and the user's own membership. */
function furtherAct(
  occasion: Occasion,
  { facts: { delegation } }: Ways,
  id: string,
  scopeIn: ScopeIn
): Act {
  const { random } = occasion
  const group = random.pick([...delegation.groups.keys()]) ?? ''
  const role = random.pick(Object.keys(delegation.own)) ?? ''
  const userId = anyMember(occasion)?.user_id ?? ''
  const self = delegation.impersonations.get(id)?.user_id ?? ''
  const carried = { role: anyRole(occasion) as never }
  const renamed = { name: random.pick(['auditor', 'helper', 'lead']) }
  const acts: readonly Act[] = [
    (library) => addToGroup(delegated(library), scopeIn(library), group, { userIds: [userId] }),
    (library) => removeFromGroup(delegated(library), scopeIn(library), group, userId),
    (library) => updateGroup(delegated(library), scopeIn(library), group, carried),
    (library) => updateRole(delegated(library), scopeIn(library), role, renamed),
    (library) => deleteRole(delegated(library), scopeIn(library), role, { replacement: 'member' }),
    (library) => seatgate.removeMember(library, scopeIn(library), self),
  ]
  return random.pick(acts) ?? acts[0]!
}

export const impersonations: AccessDeeds = {
  startImpersonation: [
    10,
    (occasion, ways) => {
      const { random, organization } = occasion
      const userId = random.chance(0.7) ? administrator(occasion) : anyMember(occasion)?.user_id
      if (userId === undefined || ways.host.delegation === undefined) return null
      const input = {
        userId,
        reason: 'Ticket 4711: the import fails',
        minutes: 1 + random.below(ways.host.delegation.minutes),
        password: PASSWORD,
      }
      const scope = { caller: operator, organization: organization.id }
      return repeatable('operator', async (library, options) =>
        keeping(ways, 'token', await startImpersonation(delegated(library), scope, input, options))
      )
    },
  ],
  endImpersonation: [
    3,
    (occasion, ways) => {
      const { random, organization, fresh } = occasion
      const there = aToken(occasion, ways)
      if (there === null) return null
      const { id, token } = there
      const inPerson = { caller: operator, organization: organization.id }
      if (random.chance(0.6)) {
        return repeatable('operator', (library, options) =>
          endImpersonation(delegated(library), inPerson, id, options)
        )
      }
      const requestId = `${ACTING}${id} ${fresh()}`
      return once(`acting ${id}`, (library) =>
        endImpersonation(
          delegated(library),
          { ...inPerson, caller: callerOf(token)(library), requestId },
          id
        )
      )
    },
  ],
}

/** What operators do as users, at times after the end. */
export const actAsUser: AccessMaker = (occasion, ways) => {
  const { random, organization, fresh } = occasion
  const there = aToken(occasion, ways)
  if (there === null) return null
  const { id, token } = there
  const requestId = `${ACTING}${id} ${fresh()}`
  const caller = callerOf(token)
  const act = random.chance(0.5)
    ? actOf(occasion, caller, { requestId })
    : furtherAct(occasion, ways, id, (library) => ({
        caller: caller(library),
        organization: organization.id,
        requestId,
      }))
  return once(`acting ${id}`, act)
}
