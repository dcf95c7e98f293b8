/**
 * What must compile, and what must not. `tsc` is the test: an expected error that does not come is an
 * error.
 */
import {
  forwardingRoutes,
  hostAdapter,
  invitationRoutes,
  joiningRoutes,
  logRoutes,
  seatgateRouter,
} from '../../src/hono/index.ts'
import {
  acceptInvitation,
  auditCheckpoint,
  auditLog,
  forwarding,
  listAttempts,
  listDeadLetters,
  listSinks,
  placeLegalHold,
  proveConsistency,
  proveInclusion,
  purgeAuditEvents,
  releaseLegalHold,
  replaySink,
  requeueDeadLetters,
  pauseSink,
  resumeSink,
  retention,
  retentionStatus,
  sealOrganization,
  sweepRetention,
  addMember,
  changeRole,
  createInvitation,
  createInvitations,
  createOrganization,
  createSeatgate,
  d1Seats,
  invitations,
  joinOrganization,
  joinRules,
  listDomains,
  listInvitations,
  restoreMembers,
  seatsAsOf,
  setSeatLimit,
  transferOwnership,
  type OrganizationScope,
  type Seatgate,
  type SeatgateOptions,
} from '../../src/index.ts'

declare const seatgate: Seatgate
declare const scope: OrganizationScope
declare const options: SeatgateOptions
declare const role: string

// Inputs: every field is known, and none is left out.
void addMember(seatgate, scope, { userId: 'u1', role })
// @ts-expect-error: a user id is a string
void addMember(seatgate, scope, { userId: 1, role: 'member' })
// @ts-expect-error: `rol` is not a field
void addMember(seatgate, scope, { userId: 'u1', rol: 'member' })
// @ts-expect-error: the role is missing
void addMember(seatgate, scope, { userId: 'u1' })
void createOrganization(seatgate, { caller: { userId: 'u1' } }, { name: 'Acme', slug: null })
// @ts-expect-error: the name is missing
void createOrganization(seatgate, { caller: { userId: 'u1' } }, { slug: 'acme' })
void setSeatLimit(seatgate, scope, { limit: 'unlimited', version: undefined })
// @ts-expect-error: a limit is a number or "unlimited"
void setSeatLimit(seatgate, scope, { limit: 'many' })
void seatsAsOf(seatgate, scope, { at: new Date() })
// @ts-expect-error: an instant is a Date or a text
void seatsAsOf(seatgate, scope, { at: 1_700_000_000 })
void restoreMembers(seatgate, scope, { userIds: ['u1'] as readonly string[] })
// @ts-expect-error: a list of user ids
void restoreMembers(seatgate, scope, { userIds: 'u1' })

// Roles that the host lists are a type.
const own = createSeatgate({
  database: options.database,
  seats: d1Seats(),
  sessions: 'none',
  roles: { all: ['boss', 'worker'], owner: 'boss', invitationAdmins: ['boss'] },
  invitations: invitations({ secret: 'a secret' }),
})
void addMember(own, scope, { userId: 'u1', role: 'worker' })
// @ts-expect-error: not a role of this configuration
void addMember(own, scope, { userId: 'u1', role: 'member' })
// @ts-expect-error: not a role of this configuration
void changeRole(own, scope, 'u1', { role: 'admin' })
void createInvitation(own, scope, { email: 'a@example.com', role: 'boss' })
// @ts-expect-error: not a role of this configuration
void createInvitation(own, scope, { email: 'a@example.com', role: 'owner' })
// @ts-expect-error: not a role of this configuration
void createInvitations(own, scope, { invitations: [{ email: 'a@example.com', role: 'owner' }] })
// @ts-expect-error: not a role of this configuration
void transferOwnership(own, scope, { userId: 'u1', role: 'admin', password: 'p' })
void createSeatgate({
  database: options.database,
  seats: d1Seats(),
  sessions: 'none',
  roles: {
    all: ['boss', 'worker'],
    // @ts-expect-error: not one of the roles
    owner: 'owner',
    invitationAdmins: ['boss'],
  },
})

// Without the part there is no inviting.
const bare = createSeatgate({ database: options.database, seats: d1Seats(), sessions: 'none' })
void addMember(bare, scope, { userId: 'u1', role: 'member' })
// @ts-expect-error: invitations are not configured
void createInvitation(bare, scope, { email: 'a@example.com', role: 'member' })
// @ts-expect-error: invitations are not configured
void acceptInvitation(bare, { caller: { userId: 'u1' } }, { token: 't' })
// @ts-expect-error: invitations are not configured
void listInvitations(bare, scope)
// @ts-expect-error: joining is not configured
void joinOrganization(bare, { caller: { userId: 'u1' } }, { organizationId: 'o1' })
// @ts-expect-error: joining is not configured
void listDomains(bare, scope)
// @ts-expect-error: joining is not configured
void joinOrganization(own, { caller: { userId: 'u1' } }, { organizationId: 'o1' })
const open = createSeatgate({ ...options, joining: joinRules({ verifyDomain: () => true }) })
void joinOrganization(open, { caller: { userId: 'u1' } }, { organizationId: 'o1' })
void listDomains(open, scope)
const perhaps = createSeatgate({
  ...options,
  invitations: role === '' ? null : invitations({ secret: 'a secret' }),
})
// @ts-expect-error: invitations are perhaps not configured
void createInvitation(perhaps, scope, { email: 'a@example.com', role: 'member' })
if (perhaps.invitations !== null) {
  const { invitations: part } = perhaps
  void createInvitation({ ...perhaps, invitations: part }, scope, { email: 'a', role: 'member' })
}
// @ts-expect-error: options are not a part
void createSeatgate({ ...options, invitations: { secret: 'a secret' } })
// @ts-expect-error: another part
void createSeatgate({ ...options, invitations: joinRules({ verifyDomain: () => true }) })
// @ts-expect-error: there is no such option
void createSeatgate({ ...options, colour: 'red' })
// @ts-expect-error: there is no such option in the group
void createSeatgate({ ...options, slugs: { colour: 'red' } })

// Without forwarding there are no sinks.
// @ts-expect-error: forwarding is not configured
void listSinks(bare, scope)
// @ts-expect-error: forwarding is not configured
void listDeadLetters(bare, scope, 'webhook')
// @ts-expect-error: forwarding is not configured
void listAttempts(bare, scope, 'webhook')
// @ts-expect-error: forwarding is not configured
void replaySink(bare, scope, 'webhook', { fromSequence: 1 })
// @ts-expect-error: forwarding is not configured
void pauseSink(bare, scope, 'webhook')
// @ts-expect-error: forwarding is not configured
void resumeSink(bare, scope, 'webhook')
// @ts-expect-error: forwarding is not configured
void requeueDeadLetters(bare, scope, 'webhook', {})
// Without a log no event is sealed or proven.
// @ts-expect-error: there is no log
void sealOrganization(bare, 'o1')
// @ts-expect-error: there is no log
void auditCheckpoint(bare, scope)
// @ts-expect-error: there is no log
void proveInclusion(bare, scope, { sequence: 1 })
// @ts-expect-error: there is no log
void proveConsistency(bare, scope, { from: 1, to: 2 })
// Without retention events are kept.
// @ts-expect-error: retention is not configured
void purgeAuditEvents(bare, scope)
// @ts-expect-error: retention is not configured
void placeLegalHold(bare, scope, { reason: 'case 7' })
// @ts-expect-error: retention is not configured
void releaseLegalHold(bare, scope, { reason: 'settled' })
// @ts-expect-error: retention is not configured
void retentionStatus(bare, scope)
// @ts-expect-error: retention is not configured
void sweepRetention(bare)
const audited = createSeatgate({
  ...options,
  audit: {
    forwarding: forwarding({ sinks: [] }),
    log: auditLog({ key: 'PRIVATE+KEY+' }),
    retention: retention([{ days: 30 }]),
  },
})
void listSinks(audited, scope)
void replaySink(audited, scope, 'webhook', { fromSequence: 1 })
void auditCheckpoint(audited, scope)
void purgeAuditEvents(audited, scope)
// @ts-expect-error: invitations are perhaps not configured
void listInvitations(audited, scope)
// The routes of a part, too.
const routing = { authenticate: () => null }
void forwardingRoutes(audited, routing)
// @ts-expect-error: forwarding is not configured
void forwardingRoutes(bare, routing)
void logRoutes(audited, routing)
// @ts-expect-error: there is no log
void logRoutes(bare, routing)
// @ts-expect-error: invitations are not configured
void invitationRoutes(bare, routing)
// @ts-expect-error: joining is not configured
void joiningRoutes(bare, routing)
void seatgateRouter(bare, routing)

// A function that takes any configuration takes this one.
const name = (any: Seatgate) => any.roles.owner
void name(own)
void name(bare)

// The users of a host adapter, as docs/host-adapter.md passes them: null where there are none.
const host = hostAdapter({ adapter: () => null, environment: 'test' })
void createSeatgate({ ...options, identity: { users: host.users } })
