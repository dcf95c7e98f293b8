/**
 * The invariants of organizations and seats as functions of the content of both stores:
 * `seatgate/testing`. Each returns the violations; an empty list is good.
 *
 * @module
 */
export { disordered, undelivered, unrecorded } from './trail.ts'
export type { Heard } from './trail.ts'
export { readLedger, readStored } from './state.ts'
export { forgotten, overtaken } from './waitlist.ts'
export type { CheckedSeatType, CheckedSeatTypes, EntitlementState } from './pools.ts'
export {
  doubledMembers,
  miscounted,
  ownerless,
  carriedSeats,
  growth,
  leak,
  overshoot,
  promisedSeats,
  unknownSeats,
  usedIn,
} from './seats.ts'
export { testHostAdapter } from './test-host-adapter.ts'
export type { LoggedAction, TestHostAdapter, TestUser } from './test-host-adapter.ts'
export { addReached, createSometimes, neverReached } from './assume.ts'
export type { Reached, Sometimes } from './assume.ts'
export type {
  Circumstances,
  CountState,
  EventState,
  InvitationState,
  LedgerState,
  MemberState,
  OrganizationState,
  RequestState,
  State,
  StoredState,
} from './state.ts'
export { violations } from './violations.ts'
export { createTestRuntime } from './test-runtime.ts'
export type {
  QueuedWakeUp,
  TestClock,
  TestReport,
  TestRuntime,
  TestRuntimeOptions,
} from './test-runtime.ts'
export { quiet } from './quiet.ts'
export type { QuietOptions } from './quiet.ts'
export { expectSound } from './expect-sound.ts'
export type { SoundOptions } from './expect-sound.ts'
