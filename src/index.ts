/**
 * Organizations, memberships, exact seat limits and a provable audit trail for Hono on Cloudflare
 * Workers.
 *
 * @module
 */
export { createSeatgate } from './seatgate.ts'
export type { Seatgate } from './seatgate.ts'
export type { Parts, SeatgateOptions } from './options.ts'
export type { AuditOptions } from './options/audit-options.ts'
export type { HookOptions } from './options/hook-options.ts'
export type { IdempotencyOptions } from './options/idempotency-options.ts'
export type { IdentityOptions } from './options/identity-options.ts'
export type { RoleOptions } from './options/role-options.ts'
export { permissions } from './options/permission-options.ts'
export type { PermissionPart, PermissionPartOptions } from './options/permission-options.ts'
export { seatTypes } from './options/seat-type-options.ts'
export type { SeatTypeOptions, SeatTypePart } from './options/seat-type-options.ts'
export type {
  Grant,
  OwnPermission,
  PermissionOf,
  PermissionOptions,
} from './engine/access/permissions.ts'
export type { RuntimeOptions } from './options/runtime-options.ts'
export type { SlugRuleOptions } from './options/slug-options.ts'
export type { Brought, Part, PartContext, PartName, Sweep } from './engine/changes/part.ts'
export type { Committed, Listener } from './engine/changes/change-context.ts'
export type {
  ConsumerContext,
  ConsumerTraits,
  Invocation,
  Progress,
  TrailConsumer,
} from './engine/audit/consumers.ts'
export type {
  Report,
  Runtime,
  SpanAttributes,
  Took,
  Trace,
  WakeUp,
  WakeUpQueue,
  Metric,
  AuditActor,
} from './base/runtime.ts'
export type { StepUp, VerifyPassword, ProofInput } from './engine/access/step-up.ts'
export type {
  UserContext,
  UserTable,
  Database,
  DatabaseContext,
  Statement,
} from './database/database.ts'
export type {
  Caller,
  OrganizationScope,
  Principal,
  PrincipalQuery,
  RequestInfo,
  Scope,
  ServiceAccountPrincipal,
  Session,
  SystemPrincipal,
  UserPrincipal,
} from './engine/access/principal.ts'
export type {
  Result,
  AccessRefusal,
  BodyRefusal,
  CommitRefusal,
  HookRefusal,
  InputRefusal,
  InvitationRefusal,
  JoinRefusal,
  LimitRefusal,
  NamedOrganization,
  PageRefusal,
  ProofRefusal,
  Refusal,
  RefusalCode,
  RefusalOf,
  SeatRefusal,
  StoreRefusal,
} from './base/result.ts'
export type { Page, PageInput } from './base/page.ts'
export type { OperationOptions } from './engine/changes/operation.ts'
export { commitTogether } from './engine/changes/together.ts'
export type { HostStatements } from './engine/changes/together.ts'
export { combine } from './engine/changes/combine.ts'
export type { Prepared } from './engine/changes/prepare-change.ts'
export type { ChangeContext, MembershipContext } from './engine/changes/change-context.ts'
export {
  HostConflict,
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
} from './database/database.ts'

export { createOrganization, prepareOrganization } from './operations/organizations/create.ts'
export type {
  CreateOrganizationOptions,
  CreateOrganizationInput,
  CreateOrganizationRefusal,
  PrepareOrganizationRefusal,
} from './operations/organizations/create.ts'
export { renameOrganization, updateOrganization } from './operations/organizations/update.ts'
export type {
  RenameOrganizationInput,
  RenameOrganizationRefusal,
  UpdateOrganizationRefusal,
} from './operations/organizations/update.ts'
export { updateSlug } from './operations/organizations/change-slug.ts'
export type { UpdateSlugInput, UpdateSlugRefusal } from './operations/organizations/change-slug.ts'
export { softDeleteOrganization } from './operations/organizations/delete.ts'
export type {
  DeletedOrganization,
  DeleteOrganizationInput,
  SoftDeleteOrganizationRefusal,
} from './operations/organizations/delete.ts'
export { restoreOrganization } from './operations/organizations/restore.ts'
export {
  getPlatformOrganization,
  listPlatformOrganizations,
} from './operations/organizations/platform-organizations.ts'
export type {
  PlatformOrganization,
  PlatformOrganizationsInput,
  GetPlatformOrganizationRefusal,
  ListPlatformOrganizationsRefusal,
} from './operations/organizations/platform-organizations.ts'
export { platformHealth } from './operations/organizations/platform-health.ts'
export type {
  HealthContext,
  PlatformHealth,
  PlatformHealthRefusal,
} from './operations/organizations/platform-health.ts'
export type {
  HealthNumbers,
  HealthReason,
  HealthStatus,
} from './operations/organizations/health-reasons.ts'
export { setMfaPolicy } from './operations/organizations/mfa-policy.ts'
export type {
  MfaCheck,
  MfaPolicyInput,
  SetMfaPolicyRefusal,
} from './operations/organizations/mfa-policy.ts'
export {
  fetchOrganization,
  getActiveSlugAlias,
  getMembership,
  getOrganizationBySlug,
  listOrganizationsForUser,
} from './operations/organizations/lookup.ts'
export type { SlugAlias, FetchOrganizationRefusal } from './operations/organizations/lookup.ts'
export { getOrganization, listOrganizations } from './operations/organizations/get.ts'
export type {
  OwnOrganization,
  GetOrganizationRefusal,
  ListOrganizationsRefusal,
} from './operations/organizations/get.ts'
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
export type {
  RestoreMembersInput,
  RestoreMemberRefusal,
  RestoreMembersRefusal,
} from './operations/memberships/restore.ts'
export { transferOwnership } from './operations/memberships/transfer-ownership.ts'
export type {
  Transfer,
  TransferOwnershipInput,
  TransferOwnershipRefusal,
} from './operations/memberships/transfer-ownership.ts'
export { listMembers } from './operations/memberships/list.ts'
export type { Member, MembersInput, ListMembersRefusal } from './operations/memberships/list.ts'
export { countMembers, countMembersWithoutMfa } from './operations/memberships/count.ts'
export type {
  CredentialTable,
  MemberCount,
  CountMembersRefusal,
  CountMembersWithoutMfaRefusal,
} from './operations/memberships/count.ts'
export type { ChangedMembership, EndedWith, Membership } from './engine/model/membership.ts'
export type { AccessContext, ChangeRoleInput, HasRoles, Roles } from './engine/access/roles.ts'

export { invitations } from './operations/invitations/invitations.ts'
export type { InvitationOptions } from './operations/invitations/invitations.ts'
export { createInvitation } from './operations/invitations/create.ts'
export { createInvitations } from './operations/invitations/create-many.ts'
export { importMembers } from './operations/invitations/import-members.ts'
export type { ImportedRow, ImportMembersRefusal } from './operations/invitations/import-members.ts'
export type {
  InvitationOutcomes,
  CreateInvitationsInput,
  CreateInvitationsRefusal,
} from './operations/invitations/create-many.ts'
export { resendInvitation } from './operations/invitations/resend.ts'
export { changeInvitationRole } from './operations/invitations/change-role.ts'
export { revokeInvitation } from './operations/invitations/revoke.ts'
export { declineInvitation } from './operations/invitations/decline.ts'
export { acceptInvitation } from './operations/invitations/accept.ts'
export type {
  AcceptedInvitation,
  AcceptInvitationRefusal,
} from './operations/invitations/accept.ts'
export { acceptInvitationWithSignup } from './operations/invitations/accept-with-signup.ts'
export type {
  AcceptWithSignupRefusal,
  SignedUp,
  SignUpInput,
} from './operations/invitations/accept-with-signup.ts'
export { viewInvitation } from './operations/invitations/view.ts'
export type { InvitationPage } from './operations/invitations/view.ts'
export { listInvitations, listOwnInvitations } from './operations/invitations/list.ts'
export type {
  OwnInvitation,
  ListInvitationsRefusal,
  ListOwnInvitationsRefusal,
} from './operations/invitations/list.ts'
export type { Invitation, InvitationState, InvitationWithToken } from './engine/model/invitation.ts'
export type { EmailVerification } from './engine/model/exclusions.ts'
export type { InvitationLimits } from './engine/model/rate-limits.ts'
export type {
  InvitationContext,
  InvitationRules,
  Mail,
  MailDelivery,
  Mailer,
  RegisterRefusal,
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
export type { AddDomainInput, AddDomainRefusal } from './operations/joining/add-domain.ts'
export { verifyDomain } from './operations/joining/verify-domain.ts'
export { removeDomain, setDomainMode } from './operations/joining/change-domain.ts'
export type {
  Domain,
  DomainChallenge,
  DomainMode,
  JoinOutcome,
  JoinRequest,
} from './engine/model/join-request.ts'
export type {
  DomainModeInput,
  RemoveDomainRefusal,
  SetDomainModeRefusal,
} from './operations/joining/change-domain.ts'
export { joinOrganization } from './operations/joining/join.ts'
export type { JoinOrganizationInput, JoinOrganizationRefusal } from './operations/joining/join.ts'
export { approveJoinRequest } from './operations/joining/approve.ts'
export type { ApprovalInput, ApproveJoinRequestRefusal } from './operations/joining/approve.ts'
export { declineJoinRequest, withdrawJoinRequest } from './operations/joining/decline.ts'
export {
  listDomains,
  listJoinableOrganizations,
  listJoinRequests,
} from './operations/joining/list.ts'
export type {
  JoinableOrganization,
  ListedJoinRequest,
  ListDomainsRefusal,
  ListJoinRequestsRefusal,
  ListJoinableOrganizationsRefusal,
} from './operations/joining/list.ts'

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
export { composeLifecycle } from './engine/changes/lifecycle-hooks.ts'

export { deleteUser, prepareUserDeletion } from './operations/memberships/delete-user.ts'

export { d1Sessions } from './operations/sessions/d1-sessions.ts'
export type {
  Pointers,
  PointerStatements,
  SessionStore,
  SessionStoreContext,
  SessionStoreRefusal,
} from './engine/model/session-store.ts'
export { selectActiveOrganization, activateAtLogin } from './operations/sessions/select.ts'
export type { Selection } from './operations/sessions/select.ts'
export { putActiveOrganization } from './operations/sessions/put-active.ts'
export type {
  ActiveOrganization,
  SessionContext,
  PutActiveOrganizationRefusal,
} from './operations/sessions/put-active.ts'
export { loadActiveOrganization } from './operations/sessions/load-active.ts'
export type { Loaded } from './operations/sessions/load-active.ts'

export { forOrganization, UnscopedQuery } from './tenancy/for-organization.ts'
export type { OrganizationOf } from './tenancy/for-organization.ts'
export { forGroup } from './tenancy/for-group.ts'
export type { GroupOf } from './tenancy/for-group.ts'
export { tenantDatabase } from './tenancy/tenant-database.ts'
export { unscoped } from './tenancy/unscoped.ts'
export type { TenantDatabaseOptions } from './tenancy/tenant-database.ts'

export { ledgerSeats } from './parts/ledger/ledger-seats.ts'
export type { LedgerSeatsOptions } from './parts/ledger/ledger-seats.ts'
export type { LedgerCalls, LedgerNamespace } from './parts/ledger/protocol.ts'
export { d1Seats } from './engine/seats/d1-seats.ts'
export { unlimitedSeats } from './engine/seats/unlimited-seats.ts'
export { seatUsage } from './operations/seats/usage.ts'
export { seatsAsOf } from './operations/seats/as-of.ts'
export type { SeatsAsOf, SeatsAsOfInput, SeatsAsOfRefusal } from './operations/seats/as-of.ts'
export { explainSeats } from './operations/seats/explain.ts'
export type {
  ExplainSeatsRefusal,
  LimitInputs,
  OverLimit,
  SeatExplanation,
} from './operations/seats/explain.ts'
export { canAdd } from './operations/seats/can-add.ts'
export type { CanAdd, CanAddRefusal } from './operations/seats/can-add.ts'
export { checkSeatLimit } from './operations/seats/check-limit.ts'
export type { CheckSeatLimitRefusal } from './operations/seats/check-limit.ts'
export { releaseSeat } from './operations/seats/release.ts'
export type { ReleasedSeats, ReleaseSeatRefusal } from './operations/seats/release.ts'
export { setSeatLimit } from './operations/seats/set-limit.ts'
export type { SeatLimitInput, SetSeatLimitRefusal } from './operations/seats/set-limit.ts'
export { billing } from './operations/billing/billing.ts'
export type { BillingOptions } from './operations/billing/billing.ts'
export type { NoticeMail, NoticeMailer } from './operations/billing/notice-mail.ts'
export type { LimitNotice, NoticeLevel } from './engine/seats/notice-level.ts'
export {
  createInviteLink,
  type CreateInviteLinkInput,
  type CreateInviteLinkRefusal,
  type InviteLinkWithToken,
} from './operations/joining/create-link.ts'
export type { InviteLink, LinkRefusal, LinkTokenInput } from './operations/joining/invite-link.ts'
export { joinByLink, type JoinByLinkRefusal } from './operations/joining/join-by-link.ts'
export { listInviteLinks, type ListInviteLinksRefusal } from './operations/joining/list-links.ts'
export { revokeInviteLink, type RevokeInviteLinkRefusal } from './operations/joining/revoke-link.ts'
export {
  viewInviteLink,
  type ShownInviteLink,
  type ViewInviteLinkRefusal,
} from './operations/joining/view-link.ts'
export { userLimits, type UserLimit, type UserLimitOptions } from './parts/limits/user-limits.ts'
export { getBilling } from './operations/billing/get-billing.ts'
export type {
  BillingView,
  GetBillingRefusal,
  ScheduledChange,
} from './operations/billing/get-billing.ts'
export { getEntitlement } from './operations/billing/get-entitlement.ts'
export type { GetEntitlementRefusal } from './operations/billing/get-entitlement.ts'
export { setEntitlement } from './operations/billing/set-entitlement.ts'
export type {
  EntitlementInput,
  SetEntitlementRefusal,
} from './operations/billing/set-entitlement.ts'
export type { EntitlementView, OverrideView } from './operations/billing/entitlement-view.ts'
export type { BillingContext, BillingRules } from './engine/seats/billing-rules.ts'
export type { SeatAmount, SeatAmountView } from './engine/seats/entitlement.ts'
export type { OverLimitPolicy, PlanOptions } from './engine/seats/plans.ts'
export type {
  GrantReason,
  ProviderSubscription,
  SubscriptionRecord,
  SubscriptionStatus,
} from './engine/seats/subscription-state.ts'
export { verifySeats } from './operations/seats/verify.ts'
export type { SeatVerification, VerifySeatsRefusal } from './operations/seats/verify.ts'
export { rebuildSeats } from './operations/seats/repair.ts'
export type { SeatRebuild, RebuildSeatsRefusal } from './operations/seats/repair.ts'
export { sweepSeats } from './operations/seats/sweep-seats.ts'
export type { SeatDifference } from './operations/seats/differences.ts'
export { seatLimit } from './engine/seats/limit.ts'
export type { SeatLimit, SeatLimitView, SeatUsage } from './engine/seats/limit.ts'
export type { ProviderContext, SeatContext, SeatProvider } from './engine/seats/provider.ts'

export { countAuditEvents, listAuditEvents } from './operations/audit/list.ts'
export { countPlatformEvents, listPlatformEvents } from './operations/audit/platform-events.ts'
export { listPersonEvents } from './operations/audit/person-events.ts'
export type {
  PersonEventsInput,
  ListPersonEventsRefusal,
} from './operations/audit/person-events.ts'
export type {
  PlatformFilters,
  PlatformListInput,
  CountPlatformEventsRefusal,
  ListPlatformEventsRefusal,
} from './operations/audit/platform-events.ts'
export type {
  AuditListInput,
  ListContext,
  CountAuditEventsRefusal,
  ListAuditEventsRefusal,
} from './operations/audit/list.ts'
export type { AuditFilters } from './engine/audit/filters.ts'
export { UnknownSchemaVersion } from './engine/audit/event-versions.ts'
export { StreamEnded, streamAuditEvents } from './operations/audit/stream.ts'
export type { EventStream, StreamAuditEventsRefusal } from './operations/audit/stream.ts'
export { exportAuditEvents } from './operations/audit/export.ts'
export type {
  AuditExport,
  AuditExportInput,
  ExportAuditEventsRefusal,
} from './operations/audit/export.ts'
export { ACTIONS as auditActions } from './engine/audit/actions.ts'
export type { ActionDefinition, AuditAction, MetadataOf } from './engine/audit/actions.ts'
export { logEvent, logSafe, prepareEvents } from './operations/audit/host-events.ts'
export type { EventScope, RecordedId } from './operations/audit/host-events.ts'
export type { HostEvent, HostEventContext } from './operations/audit/host-event-rules.ts'
export { personalDigest } from './proof/personal.ts'
export type { Origin, PersonalData, SaltedData } from './proof/personal.ts'
export type { AuditEvent } from './engine/audit/event.ts'
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
  AuditCheckpointRefusal,
  ProveConsistencyRefusal,
  ProveInclusionRefusal,
} from './parts/log/prove.ts'
export { auditLog, sealOrganization } from './parts/log/log.ts'
export type {
  PublishedCheckpoint,
  Sealed,
  SealerNamespace,
  SealRequest,
  Sign,
  UnsignedCheckpoint,
} from './engine/audit/sealer.ts'
export type { AuditLog, AuditLogOptions, LogContext } from './parts/log/log.ts'
export { tendOrganization, forwardOrganization } from './engine/delivery/tend-trail.ts'
export { purgeAuditEvents } from './parts/retention/purge.ts'
export type { PurgeInput, PurgeRun, PurgeAuditEventsRefusal } from './parts/retention/purge.ts'
export { placeLegalHold, releaseLegalHold } from './parts/retention/legal-hold.ts'
export type {
  HoldContext,
  LegalHold,
  LegalHoldInput,
  PlaceLegalHoldRefusal,
  ReleaseLegalHoldRefusal,
} from './parts/retention/legal-hold.ts'
export { retentionStatus } from './parts/retention/retention-status.ts'
export type {
  RetentionStatus,
  RecordedPurge,
  RetentionStatusRefusal,
} from './parts/retention/retention-status.ts'
export type {
  HasRetention,
  Retention,
  RetentionContext,
  RetentionWindow,
} from './parts/retention/retention-windows.ts'
export { retention, sweepRetention } from './parts/retention/retention.ts'
export type { RetentionOptions } from './parts/retention/retention.ts'
export type { Archive, ArchiveBucket, StoredSegment } from './parts/retention/archive.ts'
export type {
  ArchiveContext,
  ArchivedPage,
  ArchivedRequest,
  Segment,
  TrailArchive,
} from './engine/audit/archived-events.ts'
export { generateLogKey } from './proof/note.ts'
export { erasePersonalData } from './operations/audit/erase.ts'
export type { Erasure, ErasureContext, ErasePersonalDataRefusal } from './operations/audit/erase.ts'
export { listDeadLetters, listSinks } from './parts/forwarding/sink-status.ts'
export type {
  DeadLetterInput,
  DeadLetterView,
  SinkStatus,
  SinkStatusContext,
  ListDeadLettersRefusal,
  ListSinksRefusal,
} from './parts/forwarding/sink-status.ts'
export { pauseSink, replaySink, resumeSink } from './parts/forwarding/replay.ts'
export type {
  PauseSinkRefusal,
  ReplayInput,
  ReplaySinkRefusal,
  ResumeSinkRefusal,
} from './parts/forwarding/replay.ts'
export { requeueDeadLetters } from './parts/forwarding/requeue.ts'
export type { RequeueInput, RequeueDeadLettersRefusal } from './parts/forwarding/requeue.ts'
export { isQueueBound } from './engine/delivery/wake-consumers.ts'
export { forwarding } from './parts/forwarding/forwarding.ts'
export type {
  Forwarding,
  ForwardingContext,
  ForwardingOptions,
} from './parts/forwarding/forwarding.ts'
export { listAttempts } from './parts/forwarding/list-attempts.ts'
export type {
  AttemptInput,
  AttemptView,
  ListAttemptsRefusal,
} from './parts/forwarding/list-attempts.ts'
export type { PassedOver } from './database/tables.ts'
export { sweepAudit } from './engine/delivery/sweep-trails.ts'
export type { TendContext } from './engine/delivery/tend-trail.ts'
export type { SinkChangeContext } from './parts/forwarding/admin.ts'
export type { TokenInput } from './operations/invitations/verify-token.ts'
export type { CreateInvitationInput } from './operations/invitations/plan-invitation.ts'
export type { AddMemberRefusal } from './operations/memberships/add.ts'
export type { PrepareMemberRefusal } from './operations/memberships/prepare-member.ts'
export type { ChangeRoleRefusal } from './operations/memberships/change-role.ts'
export type {
  DeleteUserRefusal,
  PrepareUserDeletionRefusal,
} from './operations/memberships/delete-user.ts'
export type {
  LeaveOrganizationRefusal,
  RemoveMemberRefusal,
} from './operations/memberships/remove.ts'
export type { SuspendMemberRefusal } from './operations/memberships/suspend.ts'
export type { RestoreOrganizationRefusal } from './operations/organizations/restore.ts'
export type { CreateInvitationRefusal } from './operations/invitations/create.ts'
export type { ResendInvitationRefusal } from './operations/invitations/resend.ts'
export type { ChangeInvitationRoleRefusal } from './operations/invitations/change-role.ts'
export type { RevokeInvitationRefusal } from './operations/invitations/revoke.ts'
export type { DeclineInvitationRefusal } from './operations/invitations/decline.ts'
export type { VerifyDomainRefusal } from './operations/joining/verify-domain.ts'
export type {
  DeclineJoinRequestRefusal,
  WithdrawJoinRequestRefusal,
} from './operations/joining/decline.ts'
export type { SeatUsageRefusal } from './operations/seats/usage.ts'
