/**
 * Which tests are asked about which source: first the few that know it best, then all that concern
 * it.
 *
 * @module
 */
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The files of `test/workers` by name: a mutation does not care in which folder a test is. */
const WORKERS = new Map(
  globSync('test/workers/**/*.test.ts', { cwd: ROOT }).map((file) => [
    basename(file, '.test.ts'),
    file,
  ])
)

function workers(names: string): string[] {
  return names.split(' ').map((name) => {
    const file = WORKERS.get(name)
    if (file === undefined) throw new Error(`There is no test file "${name}" in test/workers.`)
    return file
  })
}
const museumOf = (provider: 'ledger' | 'd1') => [`test/museum/${provider}-seats.test.ts`]
const museum = [...museumOf('ledger'), ...museumOf('d1')]
const protocol = [
  ...workers('deadlines invitation-deadlines ledger-storage unheard repeats crashes races'),
  ...workers('invitation-races suspension-bulk http-unavailable organization-delete'),
  ...workers('compose-again composition http-seats'),
  ...museum,
]
const invitations = [
  ...workers('invitation-atomic invitation-races invitation-museum invitation-accept'),
  ...workers('invitation-create invitation-settings invitation-deadlines invitation-http'),
  ...museum,
]

interface Tests {
  readonly first: readonly string[]
  readonly more: readonly string[]
}

const billing = ['test/museum/billing.test.ts', ...workers('inbox')]
const unit = ['test/unit/engine/seats/reserve-rules.test.ts']

const changing: Tests = {
  first: workers(
    'compose-several composition owners hook-before hook-after repeats compose-again unheard'
  ),
  more: [
    ...workers('organization-hooks hook-after audit-wake-up audit crashes races http-seats'),
    ...museum,
  ],
}

const proving: Tests = { first: ['test/unit/proof/proof-forged.test.ts'], more: [] }
const text: Tests = { first: workers('audit-text'), more: [] }

const permissions: Tests = {
  first: ['test/unit/engine/access/permissions.test.ts', ...workers('permission-guards')],
  more: workers('role-not-configured member-roles guards'),
}

// Of this name there is one of SCIM too.
const groups: Tests = {
  first: [
    'test/workers/parts/groups/groups.test.ts',
    'test/workers/parts/groups/overtaken.test.ts',
    ...workers('group-ends'),
  ],
  more: workers('group-roles'),
}
const scim = (...names: readonly string[]) => ({
  first: names.map((name) => `test/workers/parts/scim/${name}.test.ts`),
  more: [],
})
const ownRoles: Tests = {
  first: [...workers('own-roles'), 'test/workers/parts/roles/overtaken.test.ts'],
  more: workers('role-losses role-races'),
}
const impersonation: Tests = { first: workers('impersonation'), more: workers('every-operation') }

const TESTS: Readonly<Record<string, Tests>> = {
  'engine/access/roles.ts': {
    first: [...permissions.first, ...workers('role-not-configured member-roles')],
    more: workers('guards'),
  },
  'engine/access/authorize.ts': {
    first: [...permissions.first, ...workers('member-roles')],
    more: [...permissions.more, ...workers('keys')],
  },
  'options/permission-options.ts': permissions,
  'parts/groups/add-to-group.ts': { ...groups, first: workers('group-roles') },
  'parts/groups/change-members.ts': groups,
  'parts/impersonation/running.ts': impersonation,
  'parts/impersonation/start.ts': impersonation,
  'parts/roles/create-role.ts': ownRoles,
  'parts/roles/delete-role.ts': ownRoles,
  'parts/roles/update-role.ts': {
    first: workers('own-roles role-losses role-races'),
    more: [],
  },
  'parts/scim/plan-presence.ts': scim('overtaken', 'presence', 'rush'),
  'parts/scim/plan-suspended.ts': scim('presence', 'overtaken', 'last-owner'),
  'parts/scim/change-user.ts': scim(
    'users',
    'presence',
    'overtaken',
    'vendors',
    'rush',
    'bad-input'
  ),
  'parts/scim/create-user.ts': scim('users', 'presence', 'bad-input'),
  'parts/scim/user-rows.ts': scim('users', 'overtaken', 'presence'),
  'parts/scim/scim-token.ts': scim('tokens'),
  'parts/scim/rotate-token.ts': scim('tokens'),
  'parts/scim-groups/plan-members.ts': scim('groups'),
  'parts/scim-groups/change-group.ts': scim('groups', 'overtaken'),
  'hono/permission-guards.ts': permissions,
  'engine/seats/reserve-rules.ts': { first: unit, more: protocol },
  'engine/seats/limit.ts': {
    first: [...unit, ...workers('http-seats')],
    more: protocol,
  },
  'engine/seats/entitlement.ts': {
    first: ['test/unit/engine/seats/entitlement.test.ts'],
    more: workers('entitlements'),
  },
  'engine/seats/plans.ts': {
    first: ['test/unit/engine/seats/entitlement.test.ts'],
    more: workers('entitlements'),
  },
  'parts/billing/apply-state.ts': {
    first: workers('subscription-events inbox'),
    more: [...billing, ...workers('seats events')],
  },
  'parts/billing/process-events.ts': { first: workers('inbox'), more: billing },
  'parts/billing/inbox.ts': { first: workers('attempts inbox events'), more: billing },
  'parts/billing/sync-quantity.ts': { first: workers('attempts seats'), more: billing },
  'parts/billing/expand-seats.ts': { first: workers('expand-seats'), more: [] },
  'engine/seats/notice-level.ts': { first: workers('limit-notices'), more: [] },
  'parts/billing/end-subscriptions.ts': { first: workers('inbox'), more: billing },
  'parts/billing/cancel-user.ts': { first: workers('recipe'), more: [] },
  'parts/billing/run-handlers.ts': { first: workers('events'), more: [] },
  'parts/billing/check-proration.ts': { first: workers('events'), more: billing },
  'operations/sessions/step-up.ts': { first: workers('step-up'), more: [] },
  'hono/host-adapter.ts': { first: workers('host-adapter'), more: workers('step-up') },
  'engine/seats/subscription-state.ts': {
    first: [
      'test/unit/engine/seats/subscription-state.test.ts',
      'test/unit/engine/seats/entitlement.test.ts',
    ],
    more: workers('entitlements'),
  },
  'engine/seats/entitled-now.ts': {
    first: ['test/unit/engine/seats/entitled-now.test.ts'],
    more: workers('entitlements over-limit'),
  },
  'operations/billing/set-entitlement.ts': { first: workers('contracts'), more: [] },
  'operations/billing/suspend-excess.ts': { first: workers('over-limit'), more: [] },
  'operations/billing/restore-excess.ts': {
    first: workers('over-limit suspended-by-limit'),
    more: [],
  },
  'operations/billing/sweep-entitlements.ts': {
    first: workers('over-limit suspended-by-limit'),
    more: [],
  },
  'engine/model/entitle.ts': {
    first: workers('entitlements contracts over-limit attempts'),
    more: workers('http-seats'),
  },
  'engine/seats/d1-seats.ts': {
    first: [...workers('invitation-deadlines seat-types'), ...museumOf('d1')],
    more: [...protocol, ...workers('configuration')],
  },
  'engine/seats/counts.ts': {
    first: [
      ...workers('contracts invitation-deadlines deadlines invitation-overtaken'),
      ...workers('ledger-storage'),
      ...museumOf('d1'),
    ],
    more: [...protocol, ...workers('invitation-accept')],
  },
  'engine/seats/settle-seats.ts': {
    first: [
      ...workers('invitation-deadlines deadlines invitation-overtaken ledger-storage'),
      ...museumOf('d1'),
    ],
    more: [...protocol, ...workers('invitation-accept')],
  },
  'engine/seats/assigned-seats.ts': {
    first: workers('ledger-storage drift'),
    more: [...protocol, ...workers('invitation-accept')],
  },
  'parts/ledger/start-ledger.ts': {
    first: workers('ledger-storage found-by-simulation unnoticed'),
    more: protocol,
  },
  'parts/ledger/ledger-seats.ts': {
    first: workers('unheard ledger-storage organization-delete invitation-deadlines deadlines'),
    more: [...protocol, ...workers('configuration')],
  },
  'operations/seats/set-limit.ts': {
    first: workers('http-seats'),
    more: [...workers('races unheard invariants'), ...museum],
  },
  'operations/seats/explain.ts': { first: workers('http-seats authorization'), more: protocol },
  'operations/seats/usage.ts': {
    first: workers('http-seats http-absence'),
    more: workers('authorization'),
  },
  'engine/seats/unlimited-seats.ts': {
    first: workers('unlimited-seats http-seats'),
    more: workers('configuration races membership-rules invariants'),
  },
  'worker/seat-ledger.ts': {
    first: workers('ledger-storage ledger-import unheard invitation-deadlines deadlines'),
    more: protocol,
  },
  'worker/ledger-tables.ts': {
    first: workers('ledger-rows invitation-deadlines deadlines unheard unnoticed'),
    more: protocol,
  },
  'engine/changes/seat-claims.ts': {
    first: [...workers('composition seat-events unheard budget seat-types'), ...museumOf('ledger')],
    more: [
      ...protocol,
      ...invitations,
      ...workers('compose-several organization-create organization-atomic audit invariants'),
    ],
  },
  'engine/seats/count-seats.ts': {
    first: [...workers('seat-types waiting-by-type http-seats ledger-storage'), ...museumOf('d1')],
    more: [...protocol, ...workers('waiting-line')],
  },
  'engine/seats/waitlist-seats.ts': {
    first: workers('waiting-by-type'),
    more: workers('waiting-line'),
  },
  'engine/model/reseat.ts': {
    first: workers('drift drift-recount seatless-roles seat-types'),
    more: workers('drift-sweep drift-rollback'),
  },
  'engine/model/membership.ts': {
    first: [
      ...workers('waiting-line composition seat-events invitation-accept unnoticed'),
      ...museumOf('ledger'),
    ],
    more: [...workers('join-organization organization-create drift'), ...invitations],
  },
  'engine/model/invitation.ts': {
    first: [
      ...workers('seat-events invitation-overtaken invitation-accept invitation-create'),
      ...workers('invitation-proof invitation-races'),
      ...museumOf('ledger'),
    ],
    more: invitations,
  },
  'engine/model/leave.ts': {
    first: workers('membership-suspension'),
    more: workers('membership-owners member-roles owners user-deletion audit unheard invariants'),
  },
  'parts/retention/archive.ts': { first: workers('archive'), more: [] },
  'parts/retention/purge.ts': { first: workers('archive retention'), more: [] },
  'engine/audit/archived-events.ts': { first: workers('archive'), more: [] },
  'engine/changes/combine.ts': changing,
  'operations/joining/invite-link.ts': { first: workers('invite-links'), more: [] },
  'operations/joining/join-by-link.ts': { first: workers('invite-links'), more: [] },
  'operations/joining/end-links.ts': { first: workers('invite-links'), more: [] },
  'parts/keys/api-key.ts': { first: workers('keys end-with-creator'), more: [] },
  'parts/keys/end-keys.ts': { first: workers('keys end-with-creator'), more: [] },
  'parts/keys/key-text.ts': { first: ['test/unit/parts/keys/key-text.test.ts'], more: [] },
  'parts/keys/create-key.ts': { first: workers('keys end-with-creator'), more: [] },
  'parts/keys/rotate-key.ts': { first: workers('keys end-with-creator'), more: [] },
  'parts/limits/user-limits.ts': { first: workers('user-limits'), more: [] },
  'engine/changes/operation.ts': changing,
  'engine/changes/prepare-change.ts': changing,
  'engine/changes/conclude.ts': {
    ...changing,
    first: [...changing.first, ...workers('unnoticed')],
  },
  'engine/model/join.ts': changing,
  'parts/forwarding/forwarding.ts': changing,
  'proof/verify-export.ts': proving,
  'proof/strict-json.ts': proving,
  'proof/personal.ts': text,
  'operations/organizations/platform-organizations.ts': {
    first: workers('operator-routes authorization'),
    more: [],
  },
  'hono/routes/invitation-routes.ts': { first: workers('administration-routes'), more: [] },
  'operations/invitations/create-many.ts': { first: workers('administration-routes'), more: [] },
  'engine/audit/consumers.ts': { first: workers('audit-accepted audit-seal'), more: [] },
  'engine/audit/personal-rows.ts': {
    first: workers('shared-personal'),
    more: workers('audit-personal audit-host-events retention'),
  },
  'engine/audit/record-events.ts': {
    first: workers('audit-accepted audit'),
    more: [...workers('compose-several compose-again repeats-again'), ...invitations],
  },
  'engine/delivery/dead-letters.ts': { first: workers('audit-dead-letters'), more: [] },
  'engine/delivery/sink.ts': {
    first: ['test/unit/engine/delivery/outgoing.test.ts'],
    more: [],
  },
  'operations/audit/export.ts': { first: workers('audit-export'), more: [] },
  'parts/forwarding/webhook-sink.ts': { first: workers('webhook-sink'), more: [] },
  'operations/audit/host-event-rules.ts': { first: workers('audit-host-events'), more: [] },
  'base/async.ts': changing,
  'database/commit.ts': { first: workers('host-conflict generated-tables'), more: [] },
  'operations/joining/recheck-domains.ts': { first: workers('domain-recheck'), more: [] },
  'operations/joining/verify-domain.ts': { first: workers('domain-recheck'), more: [] },
  'database/check-schema.ts': { first: workers('schema-check'), more: [] },
  'engine/changes/operation-refusals.ts': {
    ...changing,
    first: [...workers('schema-check'), ...changing.first],
  },
  'operations/invitations/accept.ts': {
    first: [...workers('invitation-accept invitation-proof'), ...museumOf('ledger')],
    more: [...workers('invitation-overtaken'), ...invitations],
  },
  'operations/invitations/invitation-limits.ts': {
    first: workers('invitation-budgets invitation-mail'),
    more: invitations,
  },
  'database/database.ts': { first: workers('user-ids'), more: workers('membership-lists') },
  'base/shown-text.ts': {
    first: ['test/unit/base/shown-text.test.ts', ...text.first],
    more: workers('invitation-mail'),
  },
  'base/input.ts': {
    first: ['test/unit/base/input.test.ts'],
    more: workers('slug-look-alikes'),
  },
  'operations/joining/join.ts': { first: workers('join-organization'), more: workers('join-http') },
  'operations/invitations/accept-with-signup.ts': {
    first: workers('host-conflict'),
    more: invitations,
  },
  'base/email.ts': { first: ['test/unit/base/input.test.ts'], more: [] },
  'hono/request.ts': { first: workers('every-read'), more: workers('http-bad-input') },
  'operations/invitations/token.ts': {
    first: ['test/unit/operations/invitations/token.test.ts', ...workers('repeats-again')],
    more: invitations,
  },
  'hono/request-body.ts': { first: workers('http-foreign'), more: workers('http-bad-input') },
  'hono/cross-site.ts': { first: workers('http-foreign'), more: [] },
  'hono/problem.ts': { first: workers('http-foreign'), more: [] },
  'engine/changes/idempotency.ts': {
    first: workers('repeats-again'),
    more: workers('operation-actors http-idempotency found-by-simulation'),
  },
  'operations/memberships/transfer-ownership.ts': {
    first: workers('organization-proof'),
    more: workers('membership-transfer'),
  },
  'hono/guards.ts': {
    first: workers('guards guards-identity administration-routes'),
    more: workers('page-refusals'),
  },
  'hono/page-refusals.ts': {
    first: ['test/unit/hono/return-path.test.ts'],
    more: workers('page-refusals'),
  },
  'parts/forwarding/admin.ts': {
    first: workers('operation-guards'),
    more: workers('audit-replay'),
  },
  'engine/model/end-invitation.ts': { first: workers('put-out'), more: invitations },
  'engine/model/invited-members.ts': {
    first: workers('put-out invited-and-added'),
    more: invitations,
  },
  'engine/model/joining-members.ts': { first: workers('hook-doors'), more: [] },
  'engine/model/exclusions.ts': {
    first: workers('put-out invitation-proof join-organization'),
    more: invitations,
  },
  'operations/seats/repair.ts': { first: workers('unnoticed'), more: workers('drift') },
  'operations/joining/waitlist.ts': {
    first: workers('approval-lapse unnoticed role-not-configured'),
    more: workers('waiting-line join-organization'),
  },
  'operations/audit/erase.ts': {
    first: workers('operation-guards'),
    more: workers('audit-export'),
  },
}

const OTHERS: Tests = {
  first: [
    ...workers('invitation-overtaken invitation-accept'),
    ...museumOf('ledger'),
    ...workers('invitation-races'),
  ],
  more: invitations,
}

/** All but the museum's long cases, which are no part of the first tests. */
export const WITHOUT_LONG = '^(?!.*MUSEUM-(?:01|09|22|24|27|28|29)\\b)'

/** The tests that concern a source file. */
export function testsFor(file: string): Tests {
  const { first, more } = TESTS[file] ?? OTHERS
  return { first, more: [...new Set(more)].filter((test) => !first.includes(test)) }
}
