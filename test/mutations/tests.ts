/**
 * Which tests are asked about which source: those that concern it, not all that there are.
 *
 * @module
 */

const museum = ['test/museum/ledger-seats.test.ts', 'test/museum/d1-seats.test.ts']
const workers = (names: string) => names.split(' ').map((name) => `test/workers/${name}.test.ts`)

const ledger = [
  ...workers(
    'deadlines invitation-deadlines ledger-storage unheard repeats crashes races ' +
      'invitation-races suspension-bulk http-unavailable organization-delete compose-again'
  ),
]
const invitations = [
  ...workers(
    'invitation-atomic invitation-races invitation-museum invitation-accept invitation-create ' +
      'invitation-settings invitation-deadlines invitation-http'
  ),
]

const TESTS: Readonly<Record<string, readonly string[]>> = {
  'seats/rules.ts': ['test/unit/rules.test.ts', ...workers('repeats races'), ...museum],
  'seats/limit.ts': ['test/unit/rules.test.ts', ...workers('http-seats'), ...museum],
  'seats/usage.ts': ['test/unit/rules.test.ts', ...workers('http-seats races'), ...museum],
  'seats/d1-seats.ts': [
    ...workers('races repeats suspension-bulk invitation-races invitation-museum'),
    ...workers('invitation-deadlines http-seats configuration'),
    ...museum,
  ],
  'seats/truth.ts': [...ledger, ...workers('invitation-accept http-seats'), ...museum],
  'seats/ledger-seats.ts': [...ledger, ...workers('configuration composition'), ...museum],
  'seats/set-limit.ts': [...workers('http-seats races unheard configuration'), ...museum],
  'seats/explain.ts': workers('http-seats invitation-museum'),
  'seats/queries.ts': workers('http-seats http-absence authorization'),
  'seats/unlimited-seats.ts': workers(
    'http-seats composition configuration races membership-rules'
  ),
  'runtime/seat-ledger.ts': [...ledger, ...museum],
  'runtime/ledger-tables.ts': [...ledger, ...museum],
  'memberships/gate.ts': [
    ...ledger,
    ...invitations,
    ...workers('composition compose-several organization-create organization-atomic audit'),
    ...museum,
  ],
  'memberships/exit.ts': [
    ...workers('membership-suspension membership-owners member-roles owners user-deletion'),
    ...workers('active-organization-ends audit unheard races'),
    ...museum,
  ],
  'operations/batch.ts': [
    ...workers('composition compose-again compose-several organization-hooks hook-before'),
    ...workers('hook-after audit-wake-up audit unheard crashes owners races'),
    ...museum,
  ],
}

/** The tests that concern a source file. */
export function testsFor(file: string): readonly string[] {
  const tests = TESTS[file] ?? [...invitations, ...museum]
  return [...new Set(tests)]
}
