/**
 * The codes that an operation may answer, as its caller sees them. `tsc` is the test: an expected error
 * that does not come is an error.
 */
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addMember,
  changeRole,
  countMembers,
  listMembers,
  softDeleteOrganization,
  type AcceptInvitationRefusal,
  type AddMemberRefusal,
  type BodyRefusal,
  type ChangeRoleRefusal,
  type CreateInvitationRefusal,
  type CreateInvitationsRefusal,
  type CreateOrganizationRefusal,
  type DeclineInvitationRefusal,
  type DeclineJoinRequestRefusal,
  type DeleteUserRefusal,
  type ErasePersonalDataRefusal,
  type ExportAuditEventsRefusal,
  type ImportMembersRefusal,
  type LeaveOrganizationRefusal,
  type PlaceLegalHoldRefusal,
  type PrepareOrganizationRefusal,
  type PurgeAuditEventsRefusal,
  type PutActiveOrganizationRefusal,
  type RegisterUser,
  type RemoveDomainRefusal,
  type RemoveMemberRefusal,
  type ResendInvitationRefusal,
  type RestoreMemberRefusal,
  type PauseSinkRefusal,
  type ResumeSinkRefusal,
  type RevokeInvitationRefusal,
  type SetDomainModeRefusal,
  type SetMfaPolicyRefusal,
  type SetSeatLimitRefusal,
  type SuspendMemberRefusal,
  type VerifyDomainRefusal,
  type WithdrawJoinRequestRefusal,
  type InvitationContext,
  type OrganizationScope,
  type Refusal,
  type RefusalCode,
  type Result,
  type Seatgate,
} from '../../src/index.ts'

declare const seatgate: Seatgate
declare const inviting: InvitationContext
declare const scope: OrganizationScope

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

// Who signs up is not signed in, and a host's registration refuses with codes of its own.
const signedUp = await acceptInvitationWithSignup(inviting, { token: 't', email: 'a@example.com' })
if (!signedUp.ok) {
  void (signedUp.error.code === 'email_mismatch')
  // @ts-expect-error: the caller is who is registered
  void (signedUp.error.code === 'unauthenticated')
  // @ts-expect-error: a new user leaves nothing
  void (signedUp.error.code === 'last_owner')
}
const busy: RegisterUser = async () => ({
  ok: false,
  error: { code: 'rate_limited', retryAfterSeconds: 9 },
})
// @ts-expect-error: no code of a registration
const wrong: RegisterUser = async () => ({ ok: false, error: { code: 'not_found' } })
void [busy, wrong]

// A code that cannot come is a mistake.
const added = await addMember(seatgate, scope, { userId: 'u1', role: 'member' })
if (!added.ok) {
  const { error } = added
  void (error.code === 'already_member')
  // @ts-expect-error: not a code at all
  void (error.code === 'slug_taken')
  // @ts-expect-error: a code, and not one of this operation
  void (error.code === 'domain_taken')
  // @ts-expect-error: who adds a member proves no identity
  void (error.code === 'invalid_password')
  switch (error.code) {
    case 'seat_limit_reached':
      void (error.limit - error.used)
      break
    case 'validation_error':
      void error.errors['userId']?.[0]
      break
    case 'hook_refused':
      void error.reason.length
      break
    // @ts-expect-error: adding a member leaves every owner
    case 'last_owner':
      break
  }
  // @ts-expect-error: not every refusal has a limit
  void error.limit
}

// A switch over all codes needs no default.
function advice(code: AddMemberRefusal): string {
  switch (code) {
    case 'unauthenticated':
    case 'organization_not_found':
    case 'insufficient_role':
      return 'access'
    case 'validation_error':
      return 'input'
    case 'seat_limit_reached':
    case 'seats_unavailable':
      return 'seats'
    case 'owned_limit_reached':
    case 'membership_limit_reached':
      return 'user'
    case 'hook_refused':
    case 'hook_failed':
      return 'host'
    case 'host_conflict':
    case 'operation_in_progress':
    case 'idempotency_mismatch':
    case 'unavailable':
    case 'schema_mismatch':
      return 'store'
    case 'already_member':
      return 'member'
  }
}
void advice

// @ts-expect-error: a case is missing, so nothing is returned for it
function incomplete(code: 'not_found' | 'last_owner'): string {
  switch (code) {
    case 'not_found':
      return 'gone'
  }
}
void incomplete

// What a change may answer: its own codes, and those of every change.
const changed = await changeRole(seatgate, scope, 'u1', { role: 'member' })
if (!changed.ok) {
  const same: Same<typeof changed.error.code, ChangeRoleRefusal> = true
  void same
  // A promotion from a role without a seat claims one.
  void (changed.error.code === 'seat_limit_reached')
  // @ts-expect-error: the member is there already
  void (changed.error.code === 'already_member')
}
const deleted = await softDeleteOrganization(seatgate, scope, { confirmName: 'Acme' })
if (!deleted.ok) void (deleted.error.code === 'invalid_password')
const accepted = await acceptInvitation(inviting, { caller: { userId: 'u1' } }, { token: 't' })
if (!accepted.ok && accepted.error.code === 'rate_limited') {
  void accepted.error.retryAfterSeconds.toFixed()
}

// A read refuses with few codes.
const counted = await countMembers(seatgate, scope)
if (!counted.ok) {
  const same: Same<typeof counted.error.code, 'unauthenticated' | 'organization_not_found'> = true
  void same
}
const listed = await listMembers(seatgate, scope)
if (!listed.ok) void (listed.error.code === 'invalid_cursor')

// Only routes answer the codes of a body.
type BodyCodes = Extract<AddMemberRefusal | ImportMembersRefusal | SetSeatLimitRefusal, BodyRefusal>
const noBody: Same<BodyCodes, never> = true
void noBody

// An operation without an input has no invalid one.
type Inputless =
  | RemoveMemberRefusal
  | LeaveOrganizationRefusal
  | SuspendMemberRefusal
  | RestoreMemberRefusal
  | RevokeInvitationRefusal
  | ResendInvitationRefusal
  | AcceptInvitationRefusal
  | DeclineInvitationRefusal
  | VerifyDomainRefusal
  | RemoveDomainRefusal
  | DeclineJoinRequestRefusal
  | WithdrawJoinRequestRefusal
  | PutActiveOrganizationRefusal
  | PauseSinkRefusal
  | ResumeSinkRefusal
const noInput: Same<Extract<Inputless, 'validation_error'>, never> = true
void noInput

// Without an operation id no result is stored, and only the result of an invitation has a secret.
type Unrepeatable =
  | SetMfaPolicyRefusal
  | SetSeatLimitRefusal
  | DeleteUserRefusal
  | DeclineInvitationRefusal
  | SetDomainModeRefusal
  | PutActiveOrganizationRefusal
  | PlaceLegalHoldRefusal
  | PurgeAuditEventsRefusal
  | ExportAuditEventsRefusal
  | ErasePersonalDataRefusal
const noMismatch: Same<Extract<Unrepeatable, 'idempotency_mismatch'>, never> = true
void noMismatch
const noSecret: Same<Extract<AcceptInvitationRefusal, 'stored_result_unreadable'>, never> = true
void noSecret
const secret: CreateInvitationRefusal & ResendInvitationRefusal & CreateInvitationsRefusal =
  'stored_result_unreadable'
void secret

// A founder's seat meets no limit, and a policy that D1 did not store has a code of its own.
const founding: Same<
  PrepareOrganizationRefusal,
  'insufficient_role' | 'validation_error' | 'hook_refused' | 'hook_failed' | 'seats_unavailable'
> = true
void founding
const unlimited: Same<Extract<CreateOrganizationRefusal, 'seat_limit_reached'>, never> = true
void unlimited
const noOutage: Same<Extract<SetMfaPolicyRefusal, 'unavailable'>, never> = true
void noOutage

// What takes any result takes these, and a refusal of one is a refusal.
const report = (result: Result<unknown>): RefusalCode | null =>
  result.ok ? null : result.error.code
void report(added)
void report(counted)
const anyOf = (refusal: Refusal): string => refusal.code
if (!added.ok) void anyOf(added.error)
