/**
 * Ways to break the library, each of which the simulation must notice: a piece of source and what takes
 * its place.
 *
 * @module
 */
export interface Mutation {
  readonly file: string
  readonly from: string
  readonly to: string
  /** The first seed in which it was seen: there it is looked for first. */
  readonly seed: number
}

const COMMIT = 'const done = await commit(context.db, statements)'

export const mutations: Readonly<Record<string, Mutation>> = {
  'a late write is let past its fence': {
    file: 'src/parts/ledger/ledger-seats.ts',
    from: 'not exists (select 1 from seatgate_seat_fences where ${theirs})`',
    to: '${seatIds.length} > 0`',
    seed: 2,
  },
  'a write under an earlier epoch is let in': {
    file: 'src/parts/ledger/ledger-seats.ts',
    from: ') = ${epoch}`',
    to: ') >= 0 * ${epoch}`',
    seed: 12,
  },
  'a fence is purged that still keeps something out': {
    file: 'src/engine/seats/assigned-seats.ts',
    from: 'from seatgate_seat_fences where fenced_at <= ${through}',
    to: 'from seatgate_seat_fences where fenced_at <= ${now.getTime()}',
    seed: 72,
  },
  'what a purged fence kept out is let in': {
    file: 'src/engine/seats/assigned-seats.ts',
    from: 'fencedThrough: new Date(through)',
    to: 'fencedThrough: new Date(through - 10 * keptMs)',
    seed: 72,
  },
  'an acceptance that arrives days late takes a seat that was sold since': {
    file: 'src/engine/model/invitation.ts',
    from: 'order by sequence desc limit 1), 0) <= expires_at + 60000`',
    to: 'order by sequence desc limit 1), 0) >= 0`',
    seed: 1118,
  },
  'the purge of fences keeps out what is under way': {
    file: 'src/engine/seats/assigned-seats.ts',
    from: 'const KEPT_MS = 24 * 60 * 60 * 1000',
    to: 'const KEPT_MS = 0',
    seed: 161,
  },
  'a seat is freed at its deadline without asking D1': {
    file: 'src/worker/seat-ledger.ts',
    from: 'const carried = await settleSeats(drizzle(this.env.DB), organizationId, seatIds, new Date(now))',
    to: 'const carried = new Map()',
    seed: 2,
  },
  'a seat is freed before its membership is gone': {
    file: 'src/engine/changes/conclude.ts',
    from: COMMIT,
    to: `await Promise.allSettled(
    prepared.freedSeats.map((seat) => context.seats.release(context.seatContext, seat))
  )
  ${COMMIT}`,
    seed: 1,
  },
  'a seat is given back after an unknown outcome': {
    file: 'src/engine/changes/conclude.ts',
    from: COMMIT,
    to: `const done = await commit(context.db, statements).catch(async (error) => {
    await giveBack(context, takenSeats)
    throw error
  })`,
    seed: 2,
  },
  'a seat is confirmed before its membership is there': {
    file: 'src/engine/changes/conclude.ts',
    from: COMMIT,
    to: `await Promise.allSettled(
    takenSeats.map(({ seat, until }) => context.seats.confirm(context.seatContext, seat, until))
  )
  ${COMMIT}`,
    seed: 16,
  },
  'an older limit takes the place of a newer one': {
    file: 'src/worker/ledger-tables.ts',
    from: 'WHERE version < ?1',
    to: 'WHERE ?1 > 0',
    seed: 15,
  },
  'the last owner is let go': {
    file: 'src/engine/access/access-guards.ts',
    from: "return [guard(db, 'last_owner', owner)]",
    to: 'return [owner].slice(1)',
    seed: 2,
  },
  'a lost release is not made up for': {
    file: 'src/parts/ledger/ledger-seats.ts',
    from: "  'seat.released',\n",
    to: '',
    seed: 59,
  },
  'a raise of the epoch that comes late counts': {
    file: 'src/parts/ledger/start-ledger.ts',
    from: 'setWhere: lt(seatLedgers.epoch, epoch),',
    to: '',
    seed: 51,
  },
  'a new invitation overwrites the change of its role': {
    file: 'src/engine/model/invitation.ts',
    from: 'and role = ${role} and ${isUnfinished()}',
    to: 'and ${role} = ${role} and ${isUnfinished()}',
    seed: 78,
  },
  'a token that was told verifies an address': {
    file: 'src/operations/invitations/accept.ts',
    from: '...(provesMailbox ? markVerified(context, userId, now) : []),',
    to: '...markVerified(context, userId, now),',
    seed: 12,
  },
  'a domain lets in by an address that nobody has proven': {
    file: 'src/engine/model/exclusions.ts',
    from: 'return sql<number>`coalesce(${emailVerification.column}, 0) <> 0`',
    to: 'return sql<number>`1`',
    seed: 99,
  },
  'an invitation stays when its sender could not send it any more': {
    file: 'src/engine/model/invited-members.ts',
    from: 'const couldSend = (to: string) => rights !== null && mayInvite(roles, rights, to)',
    to: "const couldSend = (to: string) => to !== ''",
    seed: 11,
  },
  'an approval in line counts though its approver could not give it any more': {
    file: 'src/operations/joining/waitlist.ts',
    from: 'if (decidedById === null || invitations?.outliveInviter) return true',
    to: "if (decidedById !== '' || invitations?.outliveInviter) return true",
    seed: 108,
  },
  'who was put out comes back by the domain': {
    file: 'src/operations/joining/join.ts',
    from: "const mode = excluded ? 'request' : door.mode",
    to: 'const { mode } = door',
    seed: 29,
  },
  'who was put out comes back with another account': {
    file: 'src/engine/model/exclusions.ts',
    from: 'digestOf(salt, currentAddress) === digest)',
    to: "digestOf(salt, currentAddress) === '')",
    seed: 4,
  },
  'a repeated operation is done again': {
    file: 'src/engine/changes/operation.ts',
    from: 'if (earlier) return replayResult(db, key, operation, earlier)',
    to: '',
    seed: 3,
  },
  'a ledger starts without the seats of invitations': {
    file: 'src/parts/ledger/start-ledger.ts',
    from: '[...invited.seats, ...joined.seats]',
    to: 'joined.seats',
    seed: 3,
  },
  'seats that are not imported yet are not counted': {
    file: 'src/worker/ledger-tables.ts',
    from: '(progress()?.pending ?? 0)',
    to: '0',
    seed: 29,
  },
  'an import ends before its last page': {
    file: 'src/parts/ledger/start-ledger.ts',
    from: "? null : { stage: 'members', after: last.holder }",
    to: "&& last ? { stage: 'members', after: last.holder } : null",
    seed: 1,
  },
  'a page brings back what was released since it was read': {
    file: 'src/worker/ledger-tables.ts',
    from: "if (importing) sql.exec('INSERT OR IGNORE INTO released VALUES (?)', seatId)",
    to: 'void seatId',
    seed: 29,
  },
  'the limit is passed by one': {
    file: 'src/engine/seats/reserve-rules.ts',
    from: 'used < limit.seats',
    to: 'used <= limit.seats',
    seed: 1,
  },
  'somebody passes the line': {
    file: 'src/engine/seats/waitlist-seats.ts',
    from: '${isWaiting}${waitsFor(context, type)}\n          limit 1 offset',
    to: "state = 'nowhere' limit 1 offset",
    seed: 8,
  },
  'the last in line comes first': {
    file: 'src/operations/joining/waitlist.ts',
    from: '.orderBy(asc(joinRequests.place))\n          .limit(1),',
    to: '.orderBy(sql`place desc`)\n          .limit(1),',
    seed: 8,
  },
  'nobody sees to a line that was forgotten': {
    file: 'src/operations/joining/joining-config.ts',
    from: 'run: (context: JoiningContext) => sweepWaitlists(context)',
    to: 'run: async () => void sweepWaitlists',
    seed: 11,
  },
  'a join is answered anew under its id': {
    file: 'src/engine/changes/idempotency.ts',
    from: 'return key ? replaceOutcome(db, key, storedForm(operation, outcome), final) : final',
    to: 'return final',
    seed: 126,
  },
  'a link stays when its creator may not invite any more': {
    file: 'src/operations/joining/joining-config.ts',
    from: 'followers: links ? [linkFollower] : []',
    to: 'followers: links ? [linkFollower].slice(1) : []',
    seed: 2_000_000_001,
  },
  'a key outlives the rights of its creator': {
    file: 'src/parts/keys/keys.ts',
    from: 'followers: [keyFollower]',
    to: 'followers: [keyFollower].slice(1)',
    seed: 2_000_000_013,
  },
  'a user passes the limit of organizations': {
    file: 'src/parts/limits/user-limits.ts',
    from: 'where used > most limit 1',
    to: 'where used > most + 1 limit 1',
    seed: 2_000_000_007,
  },
  'somebody gives permissions that they have not': {
    file: 'src/engine/access/roles.ts',
    from: 'return !roles.bounded ||',
    to: 'return roles.all.length > 0 ||',
    seed: 2_000_000_007,
  },
  'the seats of a type have the limit of the others': {
    file: 'src/engine/seats/count-seats.ts',
    from: 'return type === null ? context.defaultLimit',
    to: "return type !== '' ? context.defaultLimit",
    seed: 2_000_000_051,
  },
  'a key has rights that its creator has not': {
    file: 'src/parts/keys/create-key.ts',
    from: 'if (!mayGive(access.value.roles, access.value.permissions, roleOfKey(roles, rights))) {',
    to: "if (!mayGive(access.value.roles, access.value.permissions, '[]')) {",
    seed: 2_000_000_019,
  },
  'there are more keys than allowed': {
    file: 'src/parts/keys/create-key.ts',
    from: '${areValid(now)}) < ${keys.mostKeys}`',
    to: '${areValid(now)}) < ${keys.mostKeys + 500}`',
    seed: 2_000_000_075,
  },
  'three tokens of identity providers are valid at once': {
    file: 'src/parts/scim/create-token.ts',
    from: 'guardTokens(context, organizationId, tokens),',
    to: '',
    seed: 2_000_000_031,
  },
  'an identity provider changes something after the end of its token': {
    file: 'src/parts/scim/scim-token.ts',
    from: 'return sql`exists (select 1 from ${scimTokens} where ${valid()})`',
    to: 'return sql`1`',
    seed: 2_000_000_008,
  },
  'a role is deleted while somebody comes to it': {
    file: 'src/parts/roles/delete-role.ts',
    from: '? [guardUnused(context, after)]',
    to: '? []',
    seed: 3_500_000_001,
  },
  'a role is given that has gone, or gives more, since': {
    file: 'src/engine/access/access-guards.ts',
    from: 'and roles_version = ${version}',
    to: 'and roles_version >= 0 * ${version}',
    seed: 3_500_000_001,
  },
  'what a lost permission of a role ends stays': {
    file: 'src/parts/roles/update-role.ts',
    from: 'const lost = loses ?',
    to: "const lost = loses && to === '' ?",
    seed: 3_500_000_111,
  },
  'the groups keep a role that has another name': {
    file: 'src/parts/groups/groups.ts',
    from: 'roleHolders: [groupsWithRole]',
    to: 'roleHolders: [groupsWithRole].slice(1)',
    seed: 3_500_000_001,
  },
  'who leaves stays in their groups': {
    file: 'src/parts/groups/groups.ts',
    from: 'followers: [groupFollower]',
    to: 'followers: [groupFollower].slice(1)',
    seed: 3_500_000_001,
  },
  'the rights by a group stay when it gets another role': {
    file: 'src/parts/groups/update-group.ts',
    from: '...(isRoleNew ? [writeGroupRoles(db, group, members)] : [])',
    to: '...(isRoleNew && members === null ? [writeGroupRoles(db, group, members)] : [])',
    seed: 3_500_000_001,
  },
  'a group gives a role that it has got since': {
    file: 'src/parts/groups/change-members.ts',
    from: 'and role is ${role} ${more',
    to: "and coalesce(role, '') <> ${`~${role}`} ${more",
    seed: 3_500_000_024,
  },
  'a group passes its limit of members': {
    file: 'src/parts/groups/change-members.ts',
    from: 'sql`and members + ${more} <= ${memberLimit}`',
    to: 'sql`and members + ${more} <= ${memberLimit + 500}`',
    seed: 3_500_000_113,
  },
  'what needs the role of a group stays without it': {
    file: 'src/parts/groups/group-rights.ts',
    from: 'return isLess ?',
    to: "return isLess && userId === '' ?",
    seed: 3_500_000_001,
  },
  'an impersonation outlives the membership of its user': {
    file: 'src/parts/impersonation/impersonation.ts',
    from: 'followers: [ending]',
    to: 'followers: [ending].slice(1)',
    seed: 3_500_000_001,
  },
  'an operator acts as a user after the end': {
    file: 'src/engine/changes/conclude.ts',
    from: 'const holds = isQuery(caller) && caller.holds ?',
    to: 'const holds = isQuery(caller) && caller.holds && caller.serviceAccount ?',
    seed: 3_500_000_001,
  },
  'an operator acts as a user without a mark': {
    file: 'src/engine/access/principal.ts',
    from: 'const cause = impersonation && { causeEventId: impersonation.id }',
    to: 'const cause = impersonation && {}',
    seed: 3_500_000_001,
  },
  'no customer is compared with the provider': {
    file: 'src/parts/billing/sweep-billing.ts',
    from: 'await reconcileCustomer(context, customer)',
    to: 'void reconcileCustomer',
    seed: 3_000_000_002,
  },
}
