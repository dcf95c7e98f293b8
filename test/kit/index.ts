/**
 * All that the tests of the real runtime share. A test file imports it from here, in one import.
 *
 * @module
 */
export * from './active-organization.ts'
export * from './bookends.ts'
export * from './copies.ts'
export * from './environment.ts'
export * from './every-change.ts'
export * from './faults.ts'
export * from './flat-options.ts'
export * from './http.ts'
export * from './invariants.ts'
export * from './invitations.ts'
export * from './joining.ts'
export * from './kit.ts'
export * from './manual-changes.ts'
export * from './retention.ts'
export * from './routes.ts'
export * from './row-meter.ts'
export * from './rows.ts'
export * from './scale.ts'
export * from './secrets-in-clear.ts'
export * from './seeded-random.ts'
export * from './sinks.ts'
export * from './statement-counts.ts'
export * from './timers.ts'
export * from './wild-requests.ts'
