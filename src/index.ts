/**
 * Organizations, memberships, exact seat limits and a provable audit trail for Hono on Cloudflare
 * Workers.
 *
 * @module
 */
export { createSeatgate } from './seatgate.ts'
export type { Seatgate } from './seatgate.ts'
export type { SeatgateOptions } from './options.ts'
export type { Report, Runtime, WakeUp, WakeUpQueue } from './runtime.ts'
export type { StepUp, VerifyPassword, ProofInput } from './operations/prove.ts'
export type { UserContext, UserTable } from './users/identity.ts'
export type {
  Caller,
  OrganizationScope,
  Principal,
  PrincipalQuery,
  RequestMarks,
  Scope,
  ServiceAccountPrincipal,
  Session,
  SystemPrincipal,
  UserPrincipal,
} from './scope.ts'
export type { Result } from './result.ts'
export type { NamedOrganization, Refusal, RefusalCode } from './refusal.ts'
export type { Page, PageInput } from './page.ts'
export type { OperationOptions } from './operations/perform.ts'
export { commitTogether } from './operations/compose.ts'
export type { HostStatements } from './operations/compose.ts'
export { combine } from './operations/batch.ts'
export type { Prepared } from './operations/batch.ts'
export type { ChangeContext } from './operations/change-context.ts'
export {
  HostConflict,
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
} from './database/database.ts'
export type { Database, DatabaseContext, Statement } from './database/database.ts'

export { createOrganization } from './organizations/create.ts'
export { prepareOrganization } from './organizations/create.ts'
export type { CreateOrganizationOptions, CreateOrganizationInput } from './organizations/create.ts'
export { renameOrganization, updateOrganization } from './organizations/rename.ts'
export type { RenameOrganizationInput } from './organizations/rename.ts'
export { updateSlug } from './organizations/update-slug.ts'
export type { UpdateSlugInput } from './organizations/update-slug.ts'
export { softDeleteOrganization } from './organizations/delete.ts'
export type { DeletedOrganization, DeleteOrganizationInput } from './organizations/delete.ts'
export { restoreOrganization } from './organizations/restore.ts'
export { getPlatformOrganization, listPlatformOrganizations } from './organizations/platform.ts'
export type { PlatformOrganization, PlatformOrganizationsInput } from './organizations/platform.ts'
export { setMfaPolicy } from './organizations/mfa-policy.ts'
export type { MfaCheck, MfaPolicyInput } from './organizations/mfa-policy.ts'
export {
  fetchOrganization,
  getActiveSlugAlias,
  getMembership,
  getOrganizationBySlug,
  listOrganizationsForUser,
} from './organizations/lookup.ts'
export type { SlugAlias } from './organizations/lookup.ts'
export { getOrganization, listOrganizations } from './organizations/queries.ts'
export type { OwnOrganization } from './organizations/queries.ts'
export type { Organization } from './organizations/organization.ts'
export { generateSlug, generateSlug as generate } from './organizations/slug.ts'
export type { SlugContext } from './organizations/slug.ts'

export { addMember } from './memberships/add.ts'
export { prepareMember } from './memberships/prepare.ts'
export type { AddedMember, AddMemberInput } from './memberships/addition.ts'
export { changeRole } from './memberships/change-role.ts'
export { leaveOrganization, removeMember } from './memberships/remove.ts'
export { suspendMember } from './memberships/suspend.ts'
export { restoreMember, restoreMembers } from './memberships/restore.ts'
export type { RestoreMembersInput } from './memberships/restore.ts'
export { transferOwnership } from './memberships/transfer.ts'
export type { Transfer, TransferOwnershipInput } from './memberships/transfer.ts'
export { listMembers } from './memberships/list.ts'
export type { Member, MembersInput } from './memberships/list.ts'
export { countMembers, countMembersWithoutMfa } from './memberships/count.ts'
export type { CredentialTable, MemberCount } from './memberships/count.ts'
export type { ChangedMembership, EndedWith, Membership } from './memberships/membership.ts'
export type { AccessContext } from './memberships/roles.ts'
export type { MembershipContext } from './memberships/membership-context.ts'

export { createInvitation } from './invitations/create.ts'
export { createInvitations } from './invitations/create-many.ts'
export { importMembers } from './invitations/import-members.ts'
export type { ImportedRow } from './invitations/import-members.ts'
export type { InvitationOutcomes, CreateInvitationsInput } from './invitations/create-many.ts'
export { resendInvitation } from './invitations/resend.ts'
export { changeInvitationRole } from './invitations/change-role.ts'
export { revokeInvitation } from './invitations/revoke.ts'
export { declineInvitation } from './invitations/decline.ts'
export { acceptInvitation } from './invitations/accept.ts'
export type { AcceptedInvitation } from './invitations/acceptance.ts'
export { acceptInvitationWithSignup } from './invitations/accept-with-signup.ts'
export type { SignedUp, SignUpInput } from './invitations/accept-with-signup.ts'
export { viewInvitation } from './invitations/view.ts'
export type { InvitationPage } from './invitations/view.ts'
export { listInvitations, listOwnInvitations } from './invitations/list.ts'
export type { OwnInvitation } from './invitations/list.ts'
export type { Invitation, InvitationState, InvitationWithToken } from './invitations/invitation.ts'
export type { EmailVerification } from './invitations/address.ts'
export type { InvitationLimits } from './invitations/rates.ts'
export type {
  InvitationContext,
  Mail,
  MailDelivery,
  Mailer,
  RegisterUser,
  Registration,
} from './invitations/rules.ts'
export { normalizeEmail } from './email.ts'

export { joinRules } from './joining/join-rules.ts'
export type { JoinOptions } from './joining/join-rules.ts'
export type { JoiningContext, JoinRules, VerifyDomain, WhenFull } from './joining/rules.ts'
export { addDomain } from './joining/add-domain.ts'
export type { AddDomainInput } from './joining/add-domain.ts'
export { verifyDomain } from './joining/verify-domain.ts'
export { removeDomain, setDomainMode } from './joining/change-domain.ts'
export type { Domain, DomainChallenge, DomainMode } from './joining/domain.ts'
export type { DomainModeInput } from './joining/change-domain.ts'
export { joinOrganization } from './joining/join.ts'
export type { JoinOrganizationInput } from './joining/join.ts'
export { approveJoinRequest } from './joining/approve.ts'
export type { ApprovalInput } from './joining/approve.ts'
export { declineJoinRequest, withdrawJoinRequest } from './joining/end-request.ts'
export { listDomains, listJoinableOrganizations, listJoinRequests } from './joining/list.ts'
export type { JoinableOrganization, ListedJoinRequest } from './joining/list.ts'
export type { JoinOutcome, JoinRequest } from './joining/request.ts'

export { allow, refuse } from './hooks/hooks.ts'
export type {
  AfterStates,
  BeforeStates,
  DraftAnswer,
  HookAnswer,
  HookContext,
  Hooks,
  LifecycleAnswer,
  LifecycleHook,
  LifecycleHooks,
  OrganizationDraft,
} from './hooks/hooks.ts'
export { composeLifecycle } from './hooks/ask.ts'

export { deleteUser, prepareUserDeletion } from './users/delete.ts'

export { d1Sessions } from './sessions/d1-sessions.ts'
export type {
  Pointers,
  PointerStatements,
  SessionStore,
  SessionStoreContext,
} from './sessions/store.ts'
export { selectActiveOrganization } from './sessions/select.ts'
export type { Selection } from './sessions/select.ts'
export { activateAtLogin } from './sessions/at-login.ts'
export { putActiveOrganization } from './sessions/put-active.ts'
export type { ActiveOrganization } from './sessions/put-active.ts'
export { loadActiveOrganization } from './sessions/load-active.ts'
export type { Loaded } from './sessions/load-active.ts'
export type { SessionContext } from './sessions/session-context.ts'

export { forOrganization } from './tenancy/for-organization.ts'
export type { OrganizationOf } from './tenancy/for-organization.ts'
export { tenantDatabase, unscoped } from './tenancy/tenant-database.ts'
export type { TenantDatabaseOptions } from './tenancy/tenant-database.ts'
export { UnscopedQuery } from './tenancy/unscoped-query.ts'

export { ledgerSeats } from './seats/ledger-seats.ts'
export type { LedgerSeatsOptions } from './seats/ledger-seats.ts'
export type { LedgerCalls, LedgerNamespace } from './seats/ledger.ts'
export { d1Seats } from './seats/d1-seats.ts'
export { unlimitedSeats } from './seats/unlimited-seats.ts'
export { seatUsage } from './seats/queries.ts'
export { seatsAsOf } from './seats/as-of.ts'
export type { SeatsAsOf, SeatsAsOfInput } from './seats/as-of.ts'
export { explainSeats } from './seats/explain.ts'
export type { SeatExplanation } from './seats/explain.ts'
export { setSeatLimit } from './seats/set-limit.ts'
export type { SeatLimitInput } from './seats/set-limit.ts'
export { verifySeats } from './seats/verify.ts'
export type { SeatVerification } from './seats/verify.ts'
export { rebuildSeats } from './seats/rebuild.ts'
export type { SeatRebuild } from './seats/rebuild.ts'
export { sweepSeats } from './seats/sweep.ts'
export type { SeatDifference } from './seats/differences.ts'
export { seatLimit } from './seats/limit.ts'
export type { SeatLimit, SeatLimitView } from './seats/limit.ts'
export type { ProviderContext, SeatContext, SeatProvider } from './seats/provider.ts'
export type { SeatUsage } from './seats/usage.ts'

export { countAuditEvents, listAuditEvents } from './audit/queries.ts'
export { countPlatformEvents, listPlatformEvents } from './audit/platform.ts'
export { listPersonEvents } from './audit/person.ts'
export type { PersonEventsInput } from './audit/person.ts'
export type { PlatformFilters, PlatformListInput } from './audit/platform.ts'
export type { AuditListInput, ListContext } from './audit/request.ts'
export type { AuditFilters } from './audit/filters.ts'
export { UnknownSchemaVersion } from './audit/versions.ts'
export { StreamEnded, streamAuditEvents } from './audit/stream.ts'
export type { EventStream } from './audit/stream.ts'
export { exportAuditEvents } from './audit/export.ts'
export type { AuditExport, AuditExportInput } from './audit/export.ts'
export { ACTIONS as auditActions } from './audit/actions.ts'
export type { ActionDefinition, AuditAction, MetadataOf } from './audit/actions.ts'
export { logEvent, logSafe, prepareEvents } from './audit/log.ts'
export type { EventScope, RecordedId } from './audit/log.ts'
export type { HostEvent, HostEventContext } from './audit/host-event.ts'
export type { Metric } from './metrics.ts'
export { personalDigest } from './proof/personal.ts'
export type { Origin, PersonalData, SaltedData } from './proof/personal.ts'
export type { AuditActor, AuditEvent } from './audit/event.ts'
export type { Delivery, Redaction, Sink } from './forwarding/sink.ts'
export { bucketSink } from './forwarding/bucket-sink.ts'
export type { Bucket, BucketSinkOptions } from './forwarding/bucket-sink.ts'
export { ocsfEvent } from './forwarding/ocsf.ts'
export type { OcsfEvent, OcsfSource } from './forwarding/ocsf.ts'
export { webhookSink } from './forwarding/webhook-sink.ts'
export type { CloudEventNames } from './forwarding/envelope.ts'
export type { SinkOptions, WebhookSinkOptions } from './forwarding/webhook-sink.ts'
export { auditCheckpoint, proveConsistency, proveInclusion } from './sealing/prove.ts'
export type {
  AuditCheckpoint,
  ConsistencyProof,
  InclusionProof,
  InclusionInput,
  ConsistencyInput,
} from './sealing/prove.ts'
export { sealOrganization } from './sealing/seal.ts'
export type {
  PublishedCheckpoint,
  Sealed,
  SealRequest,
  Sign,
  UnsignedCheckpoint,
} from './sealing/seal-events.ts'
export type { LogContext } from './sealing/seal.ts'
export { tendOrganization } from './forwarding/tend.ts'
export { purgeAuditEvents } from './retention/purge.ts'
export type { PurgeInput, PurgeRun } from './retention/purge.ts'
export { placeLegalHold, releaseLegalHold } from './retention/hold.ts'
export type { LegalHold, LegalHoldInput } from './retention/hold.ts'
export { retentionStatus } from './retention/status.ts'
export type { RetentionStatus, RecordedPurge } from './retention/status.ts'
export type { RetentionContext, RetentionWindow } from './retention/rules.ts'
export { sweepRetention } from './retention/sweep.ts'
export { generateLogKey } from './proof/note.ts'
export { erasePersonalData } from './audit/erase.ts'
export type { Erasure, ErasureContext } from './audit/erase.ts'
export { listDeadLetters, listSinks } from './forwarding/sink-status.ts'
export type {
  DeadLetterInput,
  DeadLetterView,
  SinkStatus,
  SinkStatusContext,
} from './forwarding/sink-status.ts'
export { replaySink, resumeSink } from './forwarding/replay.ts'
export type { ReplayInput } from './forwarding/replay.ts'
export { requeueDeadLetters } from './forwarding/requeue.ts'
export type { RequeueInput } from './forwarding/requeue.ts'
export { forwardOrganization } from './forwarding/forward.ts'
export { isQueueBound } from './forwarding/dispatch.ts'
export { listAttempts } from './forwarding/attempts.ts'
export type { AttemptInput, AttemptView } from './forwarding/attempts.ts'
export type { PassedOver } from './database/schema.ts'
export { sweepAudit } from './forwarding/sweep.ts'
export type { DeliveryContext } from './forwarding/forward.ts'
export type { ForwardingContext } from './forwarding/dispatch.ts'
export type { SinkChangeContext } from './forwarding/change-sink.ts'
export type { TendContext } from './forwarding/tend.ts'
export { auditQueueHandler, sweepHandler } from './runtime/handlers.ts'
export type { TokenInput } from './invitations/present.ts'
export type { CreateInvitationInput } from './invitations/input.ts'
export type { ChangeRoleInput, HasRoles, Roles } from './memberships/roles.ts'
