/**
 * Organizations, memberships, exact seat limits and a provable audit trail for Hono on Cloudflare
 * Workers.
 *
 * @module
 */
export { createSeatgate } from './seatgate.ts'
export type { Seatgate } from './seatgate.ts'
export type { SeatgateOptions } from './options.ts'
export type { Report, Runtime, WakeUp, WakeUpQueue } from './base/runtime.ts'
export type { StepUp, VerifyPassword, ProofInput } from './engine/access/step-up.ts'
export type { UserContext, UserTable } from './database/user-table.ts'
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
} from './engine/access/principal.ts'
export type { Result } from './base/result.ts'
export type {
  AccessRefusal,
  BodyRefusal,
  HookRefusal,
  InputRefusal,
  InvitationRefusal,
  NamedOrganization,
  PageRefusal,
  ProofRefusal,
  Refusal,
  RefusalCode,
  RefusalOf,
  SeatRefusal,
  StoreRefusal,
} from './base/refusal.ts'
export type { Page, PageInput } from './base/page.ts'
export type { OperationOptions } from './engine/changes/operation.ts'
export { commitTogether } from './engine/changes/together.ts'
export type { HostStatements } from './engine/changes/together.ts'
export { combine } from './engine/changes/change-batch.ts'
export type { Prepared } from './engine/changes/change-batch.ts'
export type { ChangeContext } from './engine/changes/change-context.ts'
export {
  HostConflict,
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
} from './database/database.ts'
export type { Database, DatabaseContext, Statement } from './database/database.ts'

export { createOrganization } from './operations/organizations/create.ts'
export { prepareOrganization } from './operations/organizations/create.ts'
export type {
  CreateOrganizationOptions,
  CreateOrganizationInput,
} from './operations/organizations/create.ts'
export { renameOrganization, updateOrganization } from './operations/organizations/update.ts'
export type { RenameOrganizationInput } from './operations/organizations/update.ts'
export { updateSlug } from './operations/organizations/change-slug.ts'
export type { UpdateSlugInput } from './operations/organizations/change-slug.ts'
export { softDeleteOrganization } from './operations/organizations/delete.ts'
export type {
  DeletedOrganization,
  DeleteOrganizationInput,
} from './operations/organizations/delete.ts'
export { restoreOrganization } from './operations/organizations/restore.ts'
export {
  getPlatformOrganization,
  listPlatformOrganizations,
} from './operations/organizations/platform-organizations.ts'
export type {
  PlatformOrganization,
  PlatformOrganizationsInput,
} from './operations/organizations/platform-organizations.ts'
export { setMfaPolicy } from './operations/organizations/mfa-policy.ts'
export type { MfaCheck, MfaPolicyInput } from './operations/organizations/mfa-policy.ts'
export {
  fetchOrganization,
  getActiveSlugAlias,
  getMembership,
  getOrganizationBySlug,
  listOrganizationsForUser,
} from './operations/organizations/lookup.ts'
export type { SlugAlias } from './operations/organizations/lookup.ts'
export { getOrganization, listOrganizations } from './operations/organizations/get.ts'
export type { OwnOrganization } from './operations/organizations/get.ts'
export type { Organization } from './engine/model/organization.ts'
export { generateSlug, generateSlug as generate } from './engine/model/slug.ts'
export type { SlugContext } from './engine/model/slug.ts'

export { addMember } from './operations/memberships/add.ts'
export { prepareMember } from './operations/memberships/prepare-member.ts'
export type { AddedMember, AddMemberInput } from './engine/model/join.ts'
export { changeRole } from './operations/memberships/change-role.ts'
export { leaveOrganization, removeMember } from './operations/memberships/remove.ts'
export { suspendMember } from './operations/memberships/suspend.ts'
export { restoreMember, restoreMembers } from './operations/memberships/restore.ts'
export type { RestoreMembersInput } from './operations/memberships/restore.ts'
export { transferOwnership } from './operations/memberships/transfer-ownership.ts'
export type {
  Transfer,
  TransferOwnershipInput,
} from './operations/memberships/transfer-ownership.ts'
export { listMembers } from './operations/memberships/list.ts'
export type { Member, MembersInput } from './operations/memberships/list.ts'
export { countMembers, countMembersWithoutMfa } from './operations/memberships/count.ts'
export type { CredentialTable, MemberCount } from './operations/memberships/count.ts'
export type { ChangedMembership, EndedWith, Membership } from './engine/model/membership.ts'
export type { AccessContext } from './engine/access/roles.ts'
export type { MembershipContext } from './operations/memberships/membership-context.ts'

export { invitations } from './operations/invitations/invitations.ts'
export type { InvitationOptions } from './operations/invitations/invitations.ts'
export { createInvitation } from './operations/invitations/create.ts'
export { createInvitations } from './operations/invitations/create-many.ts'
export { importMembers } from './operations/invitations/import-members.ts'
export type { ImportedRow } from './operations/invitations/import-members.ts'
export type {
  InvitationOutcomes,
  CreateInvitationsInput,
} from './operations/invitations/create-many.ts'
export { resendInvitation } from './operations/invitations/resend.ts'
export { changeInvitationRole } from './operations/invitations/change-role.ts'
export { revokeInvitation } from './operations/invitations/revoke.ts'
export { declineInvitation } from './operations/invitations/decline.ts'
export { acceptInvitation } from './operations/invitations/accept.ts'
export type { AcceptedInvitation } from './operations/invitations/acceptance.ts'
export { acceptInvitationWithSignup } from './operations/invitations/accept-with-signup.ts'
export type { SignedUp, SignUpInput } from './operations/invitations/accept-with-signup.ts'
export { viewInvitation } from './operations/invitations/view.ts'
export type { InvitationPage } from './operations/invitations/view.ts'
export { listInvitations, listOwnInvitations } from './operations/invitations/list.ts'
export type { OwnInvitation } from './operations/invitations/list.ts'
export type { Invitation, InvitationState, InvitationWithToken } from './engine/model/invitation.ts'
export type { EmailVerification } from './engine/model/verified-address.ts'
export type { InvitationLimits } from './engine/model/rate-limits.ts'
export type {
  InvitationContext,
  InvitationRules,
  Mail,
  MailDelivery,
  Mailer,
  RegisterUser,
  Registration,
} from './operations/invitations/invitation-config.ts'
export { normalizeEmail } from './base/email.ts'

export { joinRules } from './operations/joining/joining-config.ts'
export type { JoinOptions } from './operations/joining/joining-config.ts'
export type {
  JoiningContext,
  JoinRules,
  VerifyDomain,
  WhenFull,
} from './operations/joining/join-rules.ts'
export { addDomain } from './operations/joining/add-domain.ts'
export type { AddDomainInput } from './operations/joining/add-domain.ts'
export { verifyDomain } from './operations/joining/verify-domain.ts'
export { removeDomain, setDomainMode } from './operations/joining/change-domain.ts'
export type { Domain, DomainChallenge, DomainMode } from './engine/model/domain.ts'
export type { DomainModeInput } from './operations/joining/change-domain.ts'
export { joinOrganization } from './operations/joining/join.ts'
export type { JoinOrganizationInput } from './operations/joining/join.ts'
export { approveJoinRequest } from './operations/joining/approve.ts'
export type { ApprovalInput } from './operations/joining/approve.ts'
export { declineJoinRequest, withdrawJoinRequest } from './operations/joining/decline.ts'
export {
  listDomains,
  listJoinableOrganizations,
  listJoinRequests,
} from './operations/joining/list.ts'
export type { JoinableOrganization, ListedJoinRequest } from './operations/joining/list.ts'
export type { JoinOutcome, JoinRequest } from './engine/model/join-request.ts'

export { allow, refuse } from './engine/model/hooks.ts'
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
} from './engine/model/hooks.ts'
export { composeLifecycle } from './engine/changes/ask-hooks.ts'

export { deleteUser, prepareUserDeletion } from './operations/memberships/delete-user.ts'

export { d1Sessions } from './operations/sessions/d1-sessions.ts'
export type {
  Pointers,
  PointerStatements,
  SessionStore,
  SessionStoreContext,
  SessionStoreRefusal,
} from './engine/model/session-store.ts'
export { selectActiveOrganization } from './operations/sessions/select.ts'
export type { Selection } from './operations/sessions/select.ts'
export { activateAtLogin } from './operations/sessions/at-login.ts'
export { putActiveOrganization } from './operations/sessions/put-active.ts'
export type { ActiveOrganization } from './operations/sessions/put-active.ts'
export { loadActiveOrganization } from './operations/sessions/load-active.ts'
export type { Loaded } from './operations/sessions/load-active.ts'
export type { SessionContext } from './operations/sessions/session-context.ts'

export { forOrganization } from './tenancy/for-organization.ts'
export type { OrganizationOf } from './tenancy/for-organization.ts'
export { tenantDatabase, unscoped } from './tenancy/tenant-database.ts'
export type { TenantDatabaseOptions } from './tenancy/tenant-database.ts'
export { UnscopedQuery } from './tenancy/unscoped-query.ts'

export { ledgerSeats } from './parts/ledger/ledger-seats.ts'
export type { LedgerSeatsOptions } from './parts/ledger/ledger-seats.ts'
export type { LedgerCalls, LedgerNamespace } from './parts/ledger/protocol.ts'
export { d1Seats } from './engine/seats/d1-seats.ts'
export { unlimitedSeats } from './engine/seats/unlimited-seats.ts'
export { seatUsage } from './operations/seats/usage.ts'
export { seatsAsOf } from './operations/seats/as-of.ts'
export type { SeatsAsOf, SeatsAsOfInput } from './operations/seats/as-of.ts'
export { explainSeats } from './operations/seats/explain.ts'
export type { SeatExplanation } from './operations/seats/explain.ts'
export { setSeatLimit } from './operations/seats/set-limit.ts'
export type { SeatLimitInput } from './operations/seats/set-limit.ts'
export { verifySeats } from './operations/seats/verify.ts'
export type { SeatVerification } from './operations/seats/verify.ts'
export { rebuildSeats } from './operations/seats/rebuild.ts'
export type { SeatRebuild } from './operations/seats/rebuild.ts'
export { sweepSeats } from './operations/seats/sweep-seats.ts'
export type { SeatDifference } from './operations/seats/differences.ts'
export { seatLimit } from './engine/seats/limit.ts'
export type { SeatLimit, SeatLimitView } from './engine/seats/limit.ts'
export type { ProviderContext, SeatContext, SeatProvider } from './engine/seats/provider.ts'
export type { SeatUsage } from './engine/seats/seat-count.ts'

export { countAuditEvents, listAuditEvents } from './operations/audit/list.ts'
export { countPlatformEvents, listPlatformEvents } from './operations/audit/platform-events.ts'
export { listPersonEvents } from './operations/audit/person-events.ts'
export type { PersonEventsInput } from './operations/audit/person-events.ts'
export type { PlatformFilters, PlatformListInput } from './operations/audit/platform-events.ts'
export type { AuditListInput, ListContext } from './operations/audit/list-request.ts'
export type { AuditFilters } from './engine/audit/filters.ts'
export { UnknownSchemaVersion } from './engine/audit/versions.ts'
export { StreamEnded, streamAuditEvents } from './operations/audit/stream.ts'
export type { EventStream } from './operations/audit/stream.ts'
export { exportAuditEvents } from './operations/audit/export.ts'
export type { AuditExport, AuditExportInput } from './operations/audit/export.ts'
export { ACTIONS as auditActions } from './engine/audit/actions.ts'
export type { ActionDefinition, AuditAction, MetadataOf } from './engine/audit/actions.ts'
export { logEvent, logSafe, prepareEvents } from './operations/audit/host-events.ts'
export type { EventScope, RecordedId } from './operations/audit/host-events.ts'
export type { HostEvent, HostEventContext } from './operations/audit/host-event-rules.ts'
export type { Metric } from './base/metric.ts'
export { personalDigest } from './proof/personal.ts'
export type { Origin, PersonalData, SaltedData } from './proof/personal.ts'
export type { AuditEvent } from './engine/audit/event.ts'
export type { AuditActor } from './base/actor.ts'
export type { Delivery, Redaction, Sink } from './engine/delivery/sink.ts'
export { bucketSink } from './parts/forwarding/bucket-sink.ts'
export type { Bucket, BucketSinkOptions } from './parts/forwarding/bucket-sink.ts'
export { ocsfEvent } from './parts/forwarding/ocsf.ts'
export type { OcsfEvent, OcsfSource } from './parts/forwarding/ocsf.ts'
export { webhookSink } from './parts/forwarding/webhook-sink.ts'
export type { CloudEventNames } from './parts/forwarding/envelopes.ts'
export type { SinkOptions, WebhookSinkOptions } from './parts/forwarding/webhook-sink.ts'
export { auditCheckpoint, proveConsistency, proveInclusion } from './parts/log/prove.ts'
export type {
  AuditCheckpoint,
  ConsistencyProof,
  InclusionProof,
  InclusionInput,
  ConsistencyInput,
} from './parts/log/prove.ts'
export { sealOrganization } from './parts/log/log.ts'
export type {
  PublishedCheckpoint,
  Sealed,
  SealRequest,
  Sign,
  UnsignedCheckpoint,
} from './engine/audit/sealer.ts'
export type { LogContext } from './parts/log/log.ts'
export { tendOrganization } from './engine/delivery/tend-trail.ts'
export { purgeAuditEvents } from './parts/retention/purge.ts'
export type { PurgeInput, PurgeRun } from './parts/retention/purge.ts'
export { placeLegalHold, releaseLegalHold } from './parts/retention/legal-hold.ts'
export type { LegalHold, LegalHoldInput } from './parts/retention/legal-hold.ts'
export { retentionStatus } from './parts/retention/retention-status.ts'
export type { RetentionStatus, RecordedPurge } from './parts/retention/retention-status.ts'
export type { RetentionContext, RetentionWindow } from './parts/retention/retention-windows.ts'
export { sweepRetention } from './parts/retention/retention.ts'
export { generateLogKey } from './proof/note.ts'
export { erasePersonalData } from './operations/audit/erase.ts'
export type { Erasure, ErasureContext } from './operations/audit/erase.ts'
export { listDeadLetters, listSinks } from './parts/forwarding/sink-status.ts'
export type {
  DeadLetterInput,
  DeadLetterView,
  SinkStatus,
  SinkStatusContext,
} from './parts/forwarding/sink-status.ts'
export { replaySink, resumeSink } from './parts/forwarding/replay.ts'
export type { ReplayInput } from './parts/forwarding/replay.ts'
export { requeueDeadLetters } from './parts/forwarding/requeue.ts'
export type { RequeueInput } from './parts/forwarding/requeue.ts'
export { forwardOrganization } from './engine/delivery/deliver.ts'
export { isQueueBound } from './parts/forwarding/forwarding.ts'
export { listAttempts } from './parts/forwarding/list-attempts.ts'
export type { AttemptInput, AttemptView } from './parts/forwarding/list-attempts.ts'
export type { PassedOver } from './database/schema.ts'
export { sweepAudit } from './parts/forwarding/sweep-forwarding.ts'
export type { DeliveryContext } from './engine/delivery/deliver.ts'
export type { ForwardingContext } from './parts/forwarding/forwarding.ts'
export type { SinkChangeContext } from './parts/forwarding/admin.ts'
export type { TendContext } from './engine/delivery/tend-trail.ts'
export type { TokenInput } from './operations/invitations/verify-token.ts'
export type { CreateInvitationInput } from './operations/invitations/invitation-input.ts'
export type { ChangeRoleInput, HasRoles, Roles } from './engine/access/roles.ts'
export type { AddMemberRefusal } from './operations/memberships/add.ts'
export type { PrepareMemberRefusal } from './operations/memberships/prepare-member.ts'
export type { ChangeRoleRefusal } from './operations/memberships/change-role.ts'
export type {
  CountMembersRefusal,
  CountMembersWithoutMfaRefusal,
} from './operations/memberships/count.ts'
export type {
  DeleteUserRefusal,
  PrepareUserDeletionRefusal,
} from './operations/memberships/delete-user.ts'
export type { ListMembersRefusal } from './operations/memberships/list.ts'
export type {
  LeaveOrganizationRefusal,
  RemoveMemberRefusal,
} from './operations/memberships/remove.ts'
export type {
  RestoreMemberRefusal,
  RestoreMembersRefusal,
} from './operations/memberships/restore.ts'
export type { SuspendMemberRefusal } from './operations/memberships/suspend.ts'
export type { TransferOwnershipRefusal } from './operations/memberships/transfer-ownership.ts'
export type {
  CreateOrganizationRefusal,
  PrepareOrganizationRefusal,
} from './operations/organizations/create.ts'
export type {
  RenameOrganizationRefusal,
  UpdateOrganizationRefusal,
} from './operations/organizations/update.ts'
export type { UpdateSlugRefusal } from './operations/organizations/change-slug.ts'
export type { SoftDeleteOrganizationRefusal } from './operations/organizations/delete.ts'
export type { RestoreOrganizationRefusal } from './operations/organizations/restore.ts'
export type {
  GetPlatformOrganizationRefusal,
  ListPlatformOrganizationsRefusal,
} from './operations/organizations/platform-organizations.ts'
export type { SetMfaPolicyRefusal } from './operations/organizations/mfa-policy.ts'
export type { FetchOrganizationRefusal } from './operations/organizations/lookup.ts'
export type {
  GetOrganizationRefusal,
  ListOrganizationsRefusal,
} from './operations/organizations/get.ts'
export type { CreateInvitationRefusal } from './operations/invitations/create.ts'
export type { CreateInvitationsRefusal } from './operations/invitations/create-many.ts'
export type { ImportMembersRefusal } from './operations/invitations/import-members.ts'
export type { ResendInvitationRefusal } from './operations/invitations/resend.ts'
export type { ChangeInvitationRoleRefusal } from './operations/invitations/change-role.ts'
export type { RevokeInvitationRefusal } from './operations/invitations/revoke.ts'
export type { DeclineInvitationRefusal } from './operations/invitations/decline.ts'
export type { AcceptInvitationRefusal } from './operations/invitations/accept.ts'
export type {
  ListInvitationsRefusal,
  ListOwnInvitationsRefusal,
} from './operations/invitations/list.ts'
export type { AddDomainRefusal } from './operations/joining/add-domain.ts'
export type {
  RemoveDomainRefusal,
  SetDomainModeRefusal,
} from './operations/joining/change-domain.ts'
export type { VerifyDomainRefusal } from './operations/joining/verify-domain.ts'
export type { JoinOrganizationRefusal } from './operations/joining/join.ts'
export type { ApproveJoinRequestRefusal } from './operations/joining/approve.ts'
export type {
  DeclineJoinRequestRefusal,
  WithdrawJoinRequestRefusal,
} from './operations/joining/decline.ts'
export type {
  ListDomainsRefusal,
  ListJoinRequestsRefusal,
  ListJoinableOrganizationsRefusal,
} from './operations/joining/list.ts'
export type { SeatUsageRefusal } from './operations/seats/usage.ts'
export type { SeatsAsOfRefusal } from './operations/seats/as-of.ts'
export type { ExplainSeatsRefusal } from './operations/seats/explain.ts'
export type { SetSeatLimitRefusal } from './operations/seats/set-limit.ts'
export type { VerifySeatsRefusal } from './operations/seats/verify.ts'
export type { RebuildSeatsRefusal } from './operations/seats/rebuild.ts'
export type { PutActiveOrganizationRefusal } from './operations/sessions/put-active.ts'
export type { ErasePersonalDataRefusal } from './operations/audit/erase.ts'
export type { ExportAuditEventsRefusal } from './operations/audit/export.ts'
export type { CountAuditEventsRefusal, ListAuditEventsRefusal } from './operations/audit/list.ts'
export type { StreamAuditEventsRefusal } from './operations/audit/stream.ts'
export type { ListPersonEventsRefusal } from './operations/audit/person-events.ts'
export type {
  CountPlatformEventsRefusal,
  ListPlatformEventsRefusal,
} from './operations/audit/platform-events.ts'
export type {
  AuditCheckpointRefusal,
  ProveConsistencyRefusal,
  ProveInclusionRefusal,
} from './parts/log/prove.ts'
export type { PurgeAuditEventsRefusal } from './parts/retention/purge.ts'
export type {
  PlaceLegalHoldRefusal,
  ReleaseLegalHoldRefusal,
} from './parts/retention/legal-hold.ts'
export type { RetentionStatusRefusal } from './parts/retention/retention-status.ts'
export type { ListDeadLettersRefusal, ListSinksRefusal } from './parts/forwarding/sink-status.ts'
export type { ListAttemptsRefusal } from './parts/forwarding/list-attempts.ts'
export type { ReplaySinkRefusal, ResumeSinkRefusal } from './parts/forwarding/replay.ts'
export type { RequeueDeadLettersRefusal } from './parts/forwarding/requeue.ts'
