/**
 * Which tests are asked about which source: first the few that know it best, then all that concern
 * it.
 *
 * @module
 */

const workers = (names: string) => names.split(' ').map((name) => `test/workers/${name}.test.ts`)
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

const unit = ['test/unit/rules.test.ts']

const changing: Tests = {
  first: workers(
    'compose-several composition owners hook-before hook-after repeats compose-again unheard'
  ),
  more: [
    ...workers('organization-hooks hook-after audit-wake-up audit crashes races http-seats'),
    ...museum,
  ],
}

const proving: Tests = { first: ['test/unit/proof-forged.test.ts'], more: [] }
const text: Tests = { first: workers('audit-text'), more: [] }

const TESTS: Readonly<Record<string, Tests>> = {
  'seats/rules.ts': { first: unit, more: protocol },
  'seats/limit.ts': { first: unit, more: protocol },
  'seats/usage.ts': {
    first: [...unit, ...workers('http-seats')],
    more: protocol,
  },
  'seats/d1-seats.ts': {
    first: [...workers('invitation-deadlines'), ...museumOf('d1')],
    more: [...protocol, ...workers('configuration')],
  },
  'seats/truth.ts': {
    first: [
      ...workers('invitation-deadlines deadlines invitation-overtaken ledger-storage'),
      ...museumOf('d1'),
    ],
    more: [...protocol, ...workers('invitation-accept')],
  },
  'seats/carried.ts': {
    first: workers('ledger-storage drift'),
    more: [...protocol, ...workers('invitation-accept')],
  },
  'seats/start-ledger.ts': {
    first: workers('ledger-storage found-by-simulation unnoticed'),
    more: protocol,
  },
  'seats/ledger-seats.ts': {
    first: workers('unheard ledger-storage organization-delete invitation-deadlines deadlines'),
    more: [...protocol, ...workers('configuration')],
  },
  'seats/set-limit.ts': {
    first: workers('http-seats'),
    more: [...workers('races unheard invariants'), ...museum],
  },
  'seats/explain.ts': { first: workers('http-seats authorization'), more: protocol },
  'seats/queries.ts': { first: workers('http-seats http-absence'), more: workers('authorization') },
  'seats/unlimited-seats.ts': {
    first: workers('unlimited-seats http-seats'),
    more: workers('configuration races membership-rules invariants'),
  },
  'runtime/seat-ledger.ts': {
    first: workers('ledger-storage unheard invitation-deadlines deadlines'),
    more: protocol,
  },
  'runtime/ledger-tables.ts': {
    first: workers('invitation-deadlines deadlines unheard unnoticed'),
    more: protocol,
  },
  'memberships/gate.ts': {
    first: [...workers('composition seat-events unheard budget'), ...museumOf('ledger')],
    more: [
      ...protocol,
      ...invitations,
      ...workers('compose-several organization-create organization-atomic audit invariants'),
    ],
  },
  'memberships/exit.ts': {
    first: workers('membership-suspension'),
    more: workers('membership-owners member-roles owners user-deletion audit unheard invariants'),
  },
  'operations/batch.ts': changing,
  'operations/aftermath.ts': {
    ...changing,
    first: [...changing.first, ...workers('unnoticed')],
  },
  'memberships/addition.ts': changing,
  'forwarding/dispatch.ts': changing,
  'proof/verify-export.ts': proving,
  'proof/strict-json.ts': proving,
  'proof/personal.ts': text,
  'audit/ndjson.ts': text,
  'organizations/platform.ts': { first: workers('operator-routes authorization'), more: [] },
  'hono/invitation-routes.ts': { first: workers('administration-routes'), more: [] },
  'invitations/create-many.ts': { first: workers('administration-routes'), more: [] },
  'audit/outbox.ts': { first: workers('audit-seal'), more: [] },
  'forwarding/letters.ts': { first: workers('audit-dead-letters'), more: [] },
  'forwarding/outgoing.ts': { first: ['test/unit/outgoing.test.ts'], more: [] },
  'audit/csv.ts': { first: workers('audit-export'), more: [] },
  'forwarding/address.ts': { first: workers('webhook-sink'), more: [] },
  'audit/host-event.ts': { first: workers('audit-host-events'), more: [] },
  'background.ts': changing,
  'database/commit.ts': { first: workers('host-conflict generated-tables'), more: [] },
  'joining/decide-recheck.ts': { first: workers('domain-recheck'), more: [] },
  'joining/recheck-domains.ts': { first: workers('domain-recheck'), more: [] },
  'database/check-schema.ts': { first: workers('schema-check'), more: [] },
  'operations/store-refusal.ts': { first: workers('schema-check'), more: [] },
  'database/constraints.ts': { first: workers('host-conflict'), more: [] },
  'invitations/address.ts': {
    first: workers('invitation-proof join-organization'),
    more: invitations,
  },
  'invitations/acceptance.ts': {
    first: [...workers('invitation-accept invitation-proof'), ...museumOf('ledger')],
    more: [...workers('invitation-overtaken'), ...invitations],
  },
  'invitations/guards.ts': {
    first: workers('invitation-overtaken invitation-proof invitation-races'),
    more: invitations,
  },
  'invitations/recipient-limit.ts': {
    first: workers('invitation-budgets invitation-mail'),
    more: invitations,
  },
  'users/identity.ts': { first: workers('user-ids'), more: workers('membership-lists') },
  'shown-text.ts': { first: ['test/unit/shown-text.test.ts'], more: workers('invitation-mail') },
  'text.ts': { first: ['test/unit/input.test.ts'], more: workers('slug-look-alikes') },
  'joining/join.ts': { first: workers('join-organization'), more: workers('join-http') },
  'invitations/accept-with-signup.ts': { first: workers('host-conflict'), more: invitations },
  'email.ts': { first: ['test/unit/input.test.ts'], more: [] },
  'hono/routes.ts': { first: workers('every-read'), more: workers('http-bad-input') },
  'invitations/token.ts': { first: ['test/unit/invitation-token.test.ts'], more: invitations },
  'hono/body.ts': { first: workers('http-foreign'), more: workers('http-bad-input') },
  'hono/media-type.ts': { first: workers('http-foreign'), more: workers('http-bad-input') },
  'hono/cross-site.ts': { first: workers('http-foreign'), more: [] },
  'hono/encoding.ts': { first: workers('http-foreign'), more: [] },
  'hono/no-store.ts': { first: workers('http-foreign'), more: [] },
  'operations/record.ts': {
    first: workers('repeats-again'),
    more: workers('operation-actors http-idempotency'),
  },
  'invitations/new-token.ts': { first: workers('repeats-again'), more: invitations },
  'memberships/transfer.ts': {
    first: workers('organization-proof'),
    more: workers('membership-transfer'),
  },
  'hono/guards.ts': {
    first: workers('guards guards-identity administration-routes'),
    more: workers('page-refusals'),
  },
  'hono/return-path.ts': {
    first: ['test/unit/return-path.test.ts'],
    more: workers('page-refusals'),
  },
  'forwarding/change-sink.ts': {
    first: workers('operation-guards'),
    more: workers('audit-replay'),
  },
  'invitations/lost.ts': { first: workers('put-out'), more: invitations },
  'memberships/exclusions.ts': { first: workers('put-out'), more: workers('join-organization') },
  'memberships/reseat.ts': { first: workers('unnoticed'), more: workers('drift') },
  'seats/repair.ts': { first: workers('unnoticed'), more: workers('drift') },
  'joining/line.ts': {
    first: workers('unnoticed role-not-configured'),
    more: workers('waiting-line join-organization'),
  },
  'audit/erase.ts': { first: workers('operation-guards'), more: workers('audit-export') },
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
export const WITHOUT_LONG = '^(?!.*MUSEUM-(?:01|09|22|24|27|28|29):)'

/** The tests that concern a source file. */
export function testsFor(file: string): Tests {
  const { first, more } = TESTS[file] ?? OTHERS
  return { first, more: [...new Set(more)].filter((test) => !first.includes(test)) }
}
