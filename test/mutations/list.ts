/**
 * Mistakes that could be made in the ledger and in the protocol around it. Each is a change of one
 * place; some test has to notice it.
 *
 * @module
 */

export interface Mutation {
  /** The source file, from `src/`. */
  readonly file: string
  /** What is there, once. */
  readonly from: string
  readonly to: string
  /** What it comes to. */
  readonly mistake: string
}

const inFile =
  (file: string) =>
  (mistake: string, from: string, to: string): Mutation => ({ file, mistake, from, to })

const archive = inFile('parts/retention/archive.ts')
const segments = inFile('engine/audit/archived-events.ts')
const purge = inFile('parts/retention/purge.ts')
const personalRows = inFile('engine/audit/personal-rows.ts')
const rules = inFile('engine/seats/reserve-rules.ts')
const limit = inFile('engine/seats/limit.ts')
const usage = inFile('engine/seats/limit.ts')
const d1Seats = inFile('engine/seats/d1-seats.ts')
const truth = inFile('engine/seats/counts.ts')
const seatCounts = inFile('engine/seats/count-seats.ts')
const settling = inFile('engine/seats/settle-seats.ts')
const carried = inFile('engine/seats/assigned-seats.ts')
const start = inFile('parts/ledger/start-ledger.ts')
const dueSeats = inFile('operations/seats/due-organizations.ts')
const replica = inFile('database/replica.ts')
const ledgerSeats = inFile('parts/ledger/ledger-seats.ts')
const setLimit = inFile('operations/seats/set-limit.ts')
const entitlement = inFile('engine/seats/entitlement.ts')
const entitledNow = inFile('engine/seats/entitled-now.ts')
const plans = inFile('engine/seats/plans.ts')
const subscription = inFile('engine/seats/subscription-state.ts')
const entitle = inFile('engine/model/entitle.ts')
const contracts = inFile('operations/billing/set-entitlement.ts')
const excess = inFile('operations/billing/suspend-excess.ts')
const restoring = inFile('operations/billing/restore-excess.ts')
const sweeping = inFile('operations/billing/sweep-entitlements.ts')
const applyState = inFile('parts/billing/apply-state.ts')
const processing = inFile('parts/billing/process-events.ts')
const inbox = inFile('parts/billing/inbox.ts')
const quantities = inFile('parts/billing/sync-quantity.ts')
const endings = inFile('parts/billing/end-subscriptions.ts')
const userEnds = inFile('parts/billing/cancel-user.ts')
const hostWork = inFile('parts/billing/run-handlers.ts')
const expansion = inFile('parts/billing/expand-seats.ts')
const notices = inFile('engine/seats/notice-level.ts')
const prorations = inFile('parts/billing/check-proration.ts')
const presence = inFile('operations/sessions/step-up.ts')
const adapter = inFile('hono/host-adapter.ts')
const explain = inFile('operations/seats/explain.ts')
const queries = inFile('operations/seats/usage.ts')
const unlimited = inFile('engine/seats/unlimited-seats.ts')
const ledger = inFile('worker/seat-ledger.ts')
const tables = inFile('worker/ledger-tables.ts')
const gate = inFile('engine/changes/seat-claims.ts')
const memberClaim = inFile('engine/model/membership.ts')
const invitationClaim = inFile('engine/model/invitation.ts')
const exit = inFile('engine/model/leave.ts')
const purgingFences = inFile('engine/seats/assigned-seats.ts')
const storedRefusals = inFile('engine/changes/operation-refusals.ts')
const switching = inFile('operations/sessions/put-active.ts')
const joinings = inFile('operations/joining/join.ts')
const auditStatements = inFile('engine/audit/record-events.ts')
const fulfilment = inFile('engine/changes/jobs.ts')
const batch = inFile('engine/changes/prepare-change.ts')
const batchRefusals = inFile('engine/changes/operation-refusals.ts')
const combining = inFile('engine/changes/combine.ts')
const inviteLinks = inFile('operations/joining/invite-link.ts')
const joinsByLink = inFile('operations/joining/join-by-link.ts')
const linksEnd = inFile('operations/joining/end-links.ts')
const keys = inFile('parts/keys/api-key.ts')
const keysEnd = inFile('parts/keys/end-keys.ts')
const keyTexts = inFile('parts/keys/key-text.ts')
const keysCreated = inFile('parts/keys/create-key.ts')
const keysRotated = inFile('parts/keys/rotate-key.ts')
const groupMembers = inFile('parts/groups/change-members.ts')
const groupAdditions = inFile('parts/groups/add-to-group.ts')
const rolesCreated = inFile('parts/roles/create-role.ts')
const rolesDeleted = inFile('parts/roles/delete-role.ts')
const impersonations = inFile('parts/impersonation/running.ts')
const impersonationStarts = inFile('parts/impersonation/start.ts')
const userLimits = inFile('parts/limits/user-limits.ts')
const rolesUpdated = inFile('parts/roles/update-role.ts')
const scimPresence = inFile('parts/scim/plan-presence.ts')
const scimSuspension = inFile('parts/scim/plan-suspended.ts')
const scimChange = inFile('parts/scim/change-user.ts')
const scimCreation = inFile('parts/scim/create-user.ts')
const scimRows = inFile('parts/scim/user-rows.ts')
const scimTokens = inFile('parts/scim/scim-token.ts')
const scimRotation = inFile('parts/scim/rotate-token.ts')
const scimMembers = inFile('parts/scim-groups/plan-members.ts')
const scimGroup = inFile('parts/scim-groups/change-group.ts')
const conclusion = inFile('engine/changes/conclude.ts')
const background = inFile('base/async.ts')
const dispatch = inFile('engine/delivery/wake-consumers.ts')
const addition = inFile('engine/model/join.ts')
const end = inFile('engine/model/end-invitation.ts')
const guards = inFile('engine/model/invitation.ts')
const acceptance = inFile('operations/invitations/accept.ts')
const plan = inFile('operations/invitations/plan-invitation.ts')
const token = inFile('operations/invitations/token.ts')
const recipientLimit = inFile('operations/invitations/invitation-limits.ts')
const shownText = inFile('base/shown-text.ts')
const roles = inFile('engine/access/roles.ts')
const authorization = inFile('engine/access/authorize.ts')
const permissionOptions = inFile('options/permission-options.ts')
const permissionGuards = inFile('hono/permission-guards.ts')
const line = inFile('operations/joining/waitlist.ts')
const proofs = inFile('engine/model/exclusions.ts')
const present = inFile('operations/invitations/verify-token.ts')
const honoGuards = inFile('hono/guards.ts')
const returnPath = inFile('hono/page-refusals.ts')
const body = inFile('hono/request-body.ts')
const mediaType = inFile('hono/request-body.ts')
const crossSite = inFile('hono/cross-site.ts')
const encoding = inFile('hono/request-body.ts')
const noStore = inFile('hono/problem.ts')
const operationRecord = inFile('engine/changes/idempotency.ts')
const newToken = inFile('operations/invitations/token.ts')
const transfer = inFile('operations/memberships/transfer-ownership.ts')
const verifier = inFile('proof/verify-export.ts')
const strictJson = inFile('proof/strict-json.ts')
const personal = inFile('proof/personal.ts')
const hostEvent = inFile('operations/audit/host-event-rules.ts')
const ndjson = inFile('base/shown-text.ts')
const constraints = inFile('database/commit.ts')
const committing = inFile('database/commit.ts')
const recheck = inFile('operations/joining/verify-domain.ts')
const domains = inFile('operations/joining/recheck-domains.ts')
const schemaCheck = inFile('database/check-schema.ts')
const storeRefusal = inFile('engine/changes/operation-refusals.ts')
const signUp = inFile('operations/invitations/accept-with-signup.ts')
const lost = inFile('engine/model/invited-members.ts')
const exclusions = inFile('engine/model/exclusions.ts')
const changeSink = inFile('parts/forwarding/admin.ts')
const erase = inFile('operations/audit/erase.ts')
const address = inFile('parts/forwarding/webhook-sink.ts')
const csv = inFile('operations/audit/export.ts')
const outbox = inFile('engine/audit/consumers.ts')
const letters = inFile('engine/delivery/dead-letters.ts')
const outgoing = inFile('engine/delivery/sink.ts')
const platform = inFile('operations/organizations/platform-organizations.ts')
const standing = inFile('engine/access/authorize.ts')
const invitationRoutes = inFile('hono/routes/invitation-routes.ts')
const createMany = inFile('operations/invitations/create-many.ts')
const reseating = inFile('engine/model/reseat.ts')
const repair = inFile('operations/seats/repair.ts')
const identity = inFile('database/database.ts')
const letterCase = inFile('base/input.ts')
const email = inFile('base/email.ts')
const honoRoutes = inFile('hono/request.ts')

export const MUTATIONS: readonly Mutation[] = [
  rules('one seat more than there are', 'used < limit.seats', 'used <= limit.seats'),
  rules(
    'an unknown limit is none',
    "if (limit.kind === 'unknown') return { code: 'seats_unavailable' }",
    ''
  ),
  rules('reserved seats do not count', 'facts.held + facts.reserved', 'facts.held'),
  rules('held seats do not count', 'facts.held + facts.reserved', 'facts.reserved'),
  rules('anybody may present a seat id', 'facts.sameSeat.holder === holder', 'true'),
  rules(
    'one holder may have two seats',
    'if (facts.sameHolder !== null) {',
    'if (false as boolean && facts.sameHolder) {'
  ),
  rules('a reservation is a membership', "held ? 'already_member'", "true ? 'already_member'"),
  limit('a negative limit is a limit', ' && value >= 0', ''),
  limit('a fraction is a limit', 'Number.isSafeInteger(value)', '!Number.isNaN(value)'),
  limit(
    'a value that is not understood is unlimited',
    '  return unknown\n',
    '  return unlimited\n'
  ),
  usage(
    'what is available may be negative',
    'Math.max(0, limit.seats - used)',
    'limit.seats - used'
  ),
  usage('full is over the limit', 'used > limit.seats', 'used >= limit.seats'),
  usage(
    'promised seats are not shown as used',
    'const used = held + reserved',
    'const used = held'
  ),

  d1Seats('one more than the limit in D1', 'used + line >= seats)', 'used + line > seats)'),
  d1Seats(
    'a promised seat is counted again',
    "return kind === 'new' || kind === 'awaited'",
    "return kind !== 'founding'"
  ),
  d1Seats(
    'pending invitations hold no seat in D1',
    ' + ${seatsReserved(organizationId, reservedSince(now()), type)}',
    ''
  ),
  truth(
    'an invitation frees its seat while it is accepted',
    'now.getTime() - 60_000',
    'now.getTime()'
  ),
  d1Seats('an unknown limit admits in D1', 'seats = ${unknownMark} or (seats', '(seats'),
  d1Seats(
    'a member of a full organization is told that it is full',
    ` and not exists (
        select 1 from seatgate_memberships
        where organization_id = \${organizationId} and user_id = \${holder} and status = 'active'
      )`,
    ''
  ),
  d1Seats('several at once are not told apart', 'used += 1', 'used += 0'),
  d1Seats(
    'several at once are not guarded',
    'return ok({ guards: [guardLimit(context, request)], count: null })',
    'return ok({ guards: [], count: null })'
  ),
  d1Seats(
    'without an entitlement there is no limit in D1',
    '), cast(${fallback} as integer)) as seats)',
    '), -1) as seats)'
  ),

  start(
    'a new ledger keeps the old epoch',
    'set: { epoch },',
    'set: { epoch: seatLedgers.epoch },'
  ),
  carried(
    'a new ledger starts without members',
    '...members.map((row) => ({ ...row, until: null })),',
    ''
  ),
  carried('a new ledger starts without reservations', '    reservations.push(...page)\n', ''),
  carried(
    'a promise is imported as held',
    "holder: invitationHolder(seatId ?? ''),",
    "holder: invitationHolder(seatId ?? ''), until: null,"
  ),
  settling(
    'a seat with a membership is fenced',
    'where not exists (select 1 from seatgate_memberships where seat_id = value)',
    'where true'
  ),
  settling(
    'a live invitation’s seat is fenced',
    '          and not exists (select 1 from seatgate_invitations where seat_id = value and ${isPending(now)})',
    ''
  ),
  settling(
    'an expired invitation keeps its seat',
    'select 1 from seatgate_invitations where seat_id = value and ${isPending(now)}',
    'select 1 from seatgate_invitations where seat_id = value'
  ),
  settling(
    'nothing is fenced',
    'where not exists (select 1 from seatgate_memberships where seat_id = value)',
    'where false'
  ),
  settling(
    'no member is found to hold a seat',
    '...held.map((row) => ({ ...row, until: null })),',
    ''
  ),
  settling(
    'no invitation is found to hold a seat',
    '...reservations.map((row) => ({ ...row, userId: null })),',
    ''
  ),
  truth('an expired invitation is pending', ' and expires_at > ${now.getTime()}', ''),
  truth('a revoked invitation is pending', ' and revoked_at is null', ''),
  truth('a declined invitation is pending', ' and declined_at is null', ''),
  truth('an accepted invitation is pending', 'sql`accepted_at is null and ', 'sql`'),
  seatCounts(
    'an unlimited entitlement is unknown',
    "limitKind === 'unlimited' ? unlimited : known",
    'known'
  ),

  ledgerSeats(
    'no fence at the batch',
    'not exists (select 1 from seatgate_seat_fences where ${theirs})',
    'true'
  ),
  ledgerSeats('no epoch at the batch', ') = ${epoch}`', ') >= 0`'),
  ledgerSeats(
    'a founder needs no epoch',
    "if (kind === 'founding') return ok(grant(context, { organizationId, seatId }, FOUNDING))",
    "if (kind === 'founding') return ok({ guards: [], count: null })"
  ),
  ledgerSeats(
    'released seats are not heard of later',
    "      case 'seat.released':\n",
    "      case 'seat.none' as never:\n"
  ),
  ledgerSeats('limits are not heard of later', "  'seat.limit_changed',\n", ''),
  ledgerSeats(
    'a ledger that does not answer admits',
    "return refused({ code: 'seats_unavailable' })",
    'return ok({ epoch: 0, count: null } as never)'
  ),
  ledgerSeats('a ledger may take as long as it likes', 'within(timeoutSeconds, ask())', 'ask()'),
  ledgerSeats('an overloaded ledger is asked again', ' && flags.overloaded !== true', ''),
  ledgerSeats('a broken call is not repeated', 'flags?.retryable === true', 'false'),
  ledgerSeats(
    'an undelivered event counts as delivered',
    "told.ok ? delivered : { outcome: 'retry', reason: told.error.code }",
    'told.ok ? delivered : delivered'
  ),
  ledgerSeats('a deleted organization keeps its ledger', "  'organization.delete',\n", ''),

  setLimit(
    'an older version counts',
    'current && version <= currentVersion',
    'current && version < currentVersion'
  ),
  setLimit(
    'every version counts',
    'current && version <= currentVersion',
    'current && version < 0'
  ),
  setLimit(
    'anybody sets limits',
    'if (!isOperator(caller) && !isSystem(caller)) {',
    'if (false as boolean) {'
  ),
  setLimit('an unknown limit is set', 'jsonNumber({ min: 0 })]', 'v.number()]'),
  setLimit('the next version is the present one', 'currentVersion + 1', 'currentVersion'),
  entitlement('the cap does not count', 'Math.min(cap, sum)', 'sum'),
  entitlement('add-ons do not count', 'included + purchased + addOns', 'included + purchased'),
  entitlement('a negative number is a limit', "seatLimit(amount).kind === 'unknown'", 'false'),
  entitlement(
    'a plan without a cap is capped',
    'cap === null ? unlimited',
    'cap !== null ? unlimited'
  ),
  entitlement('the last included number counts', 'Math.max(a, b)', 'b'),
  entitlement('an override applies at its end', 'now < until', 'now <= until'),
  plans(
    'a flat quantity is a number of seats',
    'plan.perSeat ? record.quantity : 0',
    'record.quantity'
  ),
  plans('a subscription that ended grants', '|| !grantOf(record, now).granting', ''),
  plans('a price may be in two plans', 'if (other !== undefined &&', 'if (other === name &&'),
  plans('an older state counts', 'if (isOutdated(existing, state)) return null', ''),
  plans(
    'the caller chooses the organization of a record',
    'existing?.organizationId ?? organizationId',
    'organizationId'
  ),
  subscription('a cancellation takes effect late', 'now >= cancelAt)', 'now > cancelAt)'),
  subscription('a trial ends late', 'now >= trialEnd', 'now > trialEnd'),
  subscription('a grace ends early', 'now <= graceEnd', 'now < graceEnd'),
  subscription('a paused subscription grants', "if (isPaused(state)) return no('paused')", ''),
  subscription('an end beside the status grants', ' || endedAt !== null', ''),
  subscription(
    'a state of the same time is old',
    'providerTime < watermark',
    'providerTime <= watermark'
  ),
  subscription('an unknown status grants', "?? 'incomplete'", "?? 'active'"),
  subscription(
    'each failure begins a grace',
    'existing && isPastDue(existing) && existing.pastDueSince !== null',
    'false as boolean'
  ),
  entitlement(
    'an override that ended applies',
    'until === null || now < until ? override',
    'true ? override'
  ),
  entitlement(
    'an override applies before its start',
    'from !== null && now < from) return',
    'false) return'
  ),
  entitlement(
    'an override does not apply at its start',
    'from !== null && now < from) return',
    'from !== null && now <= from) return'
  ),
  entitledNow(
    'a lapsed subscription has the base seats',
    'hasLapsed(known) ? lapsedLimit : seatContext.defaultLimit',
    'seatContext.defaultLimit'
  ),
  applyState(
    'a state is applied over a newer record',
    'if ((existing?.version ?? 0) !== readVersion) {',
    'if (false as boolean) {'
  ),
  processing('an older event is applied', 'newest < watermark', 'newest < new Date(0)'),
  processing(
    'a subscription of a deleted organization grants',
    'if (owner.isDeleted) {',
    'if (false as boolean) {'
  ),
  processing(
    'an event of an unknown customer is given up at once',
    'time.getTime() - oldest >= connection.parkedHours * 3_600_000',
    'true as boolean'
  ),
  processing('an event is never given up', 'attempts >= MOST_ATTEMPTS', 'false as boolean'),
  inbox('a repeat is an error', '    .onConflictDoNothing()\n', ''),
  inbox(
    'an event is tried again at once',
    'Math.max(backoffSeconds(attempts, random), asked)',
    '0'
  ),
  quantities(
    'a smaller number is sent though more seats are in use',
    'if (isTooFew && quantity < item.quantity)',
    'if (false as boolean)'
  ),
  quantities(
    'a request for a subscription that grants no seats is dropped',
    '(seats === null ? null : own.find(canCharge))',
    'null'
  ),
  quantities(
    'a request without a subscription is dropped',
    "if (customer.seats !== null) throw new ProviderError('permanent', 'no_subscription')",
    ''
  ),
  quantities(
    'the quantity shrinks unasked',
    'seats === null && !connection.shrink',
    'false as boolean'
  ),
  quantities(
    'an update that changes no number is sent',
    'if (item.quantity === quantity) return null',
    ''
  ),
  quantities(
    'members who hold no seat are billed',
    '${seatsHeld(organizationId)} + ${seatsReserved(organizationId, time)}',
    '(select count(*) from seatgate_memberships where organization_id = ${organizationId})'
  ),
  endings('a second subscription is kept', 'if (other === undefined) return false', 'return false'),
  endings(
    'a subscription that is past due outlives its organization',
    "sql`${subscriptions.status} not in ('canceled', 'incomplete_expired')`",
    "sql`${subscriptions.status} = 'active'`"
  ),
  userEnds(
    'a user who is deleted is billed on',
    '.set({ requestedAt: time, dueAt: time,',
    '.set({ requestedAt: time, dueAt: null,'
  ),
  hostWork(
    'a handler runs again after its success',
    'await set({ dueAt: null, finishedAt: now(), lastError: null })',
    'await set({ lastError: null })'
  ),
  prorations(
    'a price without a choice starts',
    'if (interval !== undefined && provider.prorationFor(interval) !== null) continue',
    'if (true as boolean) continue'
  ),
  entitlement(
    'purchased seats are not merged',
    'purchased: merged.purchased + next.purchased',
    'purchased: next.purchased'
  ),
  entitlement(
    'one plan with a cap caps all',
    'merged.cap === null || next.cap === null ? null : Math.max(merged.cap, next.cap)',
    'merged.cap ?? next.cap'
  ),
  entitlement(
    'a sum that is no number is a limit',
    'if (!Number.isSafeInteger(sum)) return unknown',
    ''
  ),
  entitlement(
    'an override cannot lift a cap',
    "override.cap === 'unlimited' ? null : override.cap",
    "override.cap === 'unlimited' ? seats.cap : override.cap"
  ),
  entitlement(
    'an override of 0 is none',
    'override.included ?? seats',
    'override.included || seats'
  ),
  entitledNow(
    'a subscription of no plan grants',
    "plans.has(record.plan ?? '') && grantOf",
    'grantOf'
  ),
  entitledNow(
    'a first payment that was never made ends a subscription',
    "status !== 'incomplete' && status !== 'incomplete_expired'",
    "status !== 'incomplete_expired'"
  ),
  entitledNow('the end of an override changes nothing', 'inForce?.until ?? null,', 'null,'),
  entitledNow(
    'the policy of the plan does not count',
    "plan?.whenOver ?? billing?.whenOver ?? 'block_change'",
    "billing?.whenOver ?? 'block_change'"
  ),
  entitledNow(
    'subscriptions count without billing',
    'billing === null ? [] : subscriptions',
    'subscriptions'
  ),
  subscription(
    'an unpaid subscription has a grace',
    "if (status === 'past_due') {",
    "if (status === 'past_due' || status === 'unpaid') {"
  ),
  subscription(
    'a grace is kept after recovery',
    'if (!isPastDue({ status })) return { pastDueSince: null, graceEnd: null }',
    'if (!isPastDue({ status }) && existing) return existing'
  ),
  subscription(
    'the end of a grace changes the limit an instant early',
    'new Date(state.graceEnd.getTime() + 1)',
    'state.graceEnd'
  ),
  subscription(
    'a trial never ends by itself',
    "state.status === 'trialing' ? state.trialEnd : null",
    'null'
  ),
  subscription(
    'a pause beside the status grants',
    "status === 'paused' || paused",
    "status === 'paused'"
  ),
  subscription(
    'a subscription that is past due charges no more',
    'return !isCanceled(state)\n}\n\n/** Why a subscription grants',
    "return !isCanceled(state) && state.status !== 'past_due'\n}\n\n/** Why a subscription grants"
  ),
  seatCounts(
    'a default that is no limit is accepted',
    "if (limit.kind !== 'unknown') return limit",
    'if (limit.kind) return limit'
  ),
  notices('near begins at 90 %', 'used * 5 >= seats * 4', 'used * 10 >= seats * 9'),
  notices('full is near', 'when used = seats then 2', 'when used = seats then 1'),
  notices('a grace that ends is not told', 'then 4 else 3 end', 'then 3 else 3 end'),
  notices(
    'a short grace is told at its beginning',
    '(ends - since) / 2) <=',
    '(ends - since) / 1) <='
  ),
  notices('a notice is told again', "when 'full' then 2", "when 'full' then 1"),
  applyState(
    'a canceled subscription is scheduled to be',
    'after.cancelAt !== null && after.endedAt === null',
    'after.cancelAt !== null'
  ),
  applyState(
    'an end is told with every update',
    'if (after.endedAt !== null && !before?.endedAt) {',
    'if (after.endedAt !== null) {'
  ),
  applyState('a change of quantity is no change', ' || quantity !== before.quantity', ''),
  applyState(
    'the seat provider is not told',
    'if (entitlement === null || entitlement.version === 0) return ok(record)',
    'if (entitlement !== undefined) return ok(record)'
  ),
  applyState(
    'a subscription is found by its id alone',
    'one.provider === provider && one.subscriptionId === subscriptionId',
    'one.subscriptionId === subscriptionId && one.provider !== provider'
  ),
  inbox(
    'a run finishes what another one has taken',
    'sql`${billingInbox.dueAt} = ${first?.dueAt?.getTime() ?? 0}`',
    'sql`${first?.dueAt?.getTime() ?? 0} = ${first?.dueAt?.getTime() ?? 0}`'
  ),
  inbox(
    'two runs take one event',
    '.set({ dueAt: later(now, LEASE_SECONDS), attempts',
    '.set({ attempts'
  ),
  inbox(
    'parked events wait for their time though the customer is known',
    'return db.update(billingInbox).set({ dueAt: now }).where(parked)',
    'return db.update(billingInbox).set({ lastError: null }).where(parked)'
  ),
  inbox(
    'an event without a subscription is never done',
    'finishedAt: isWork ? null : at',
    'finishedAt: null'
  ),
  quantities(
    'what was asked for meanwhile is forgotten',
    'const same = sql`${billingCustomers.changes} = ${changes}`',
    'const same = sql`${changes} = ${changes}`'
  ),
  quantities(
    'an earlier call that arrives later decides the number',
    'customer.seats === null || customer.attempts === 1',
    'true as boolean'
  ),
  endings(
    'an end that could not be recorded is never recorded',
    ' || (await isOpen(context, about))',
    ''
  ),
  quantities(
    'a number that was asked for gives way to the seats in use',
    'if (seats !== null) return seats',
    ''
  ),
  quantities(
    'a refusal for good is tried again',
    "error instanceof ProviderError && error.kind === 'permanent'",
    'false as boolean'
  ),
  quantities(
    'a missing item is passed over',
    "throw new ProviderError('permanent', 'seat_item_missing')",
    'return null'
  ),
  quantities(
    'the wish of the provider to wait is not heard',
    'Math.max(backoffSeconds(attempts, random), asked)',
    'backoffSeconds(attempts, random)'
  ),
  expansion(
    'a seat is bought that the cap takes away',
    'if (!fits(limitWith({ ...record, quantity: wanted }).limit, needed)) return false',
    ''
  ),
  expansion(
    'a smaller number that is on its way takes the seat away',
    'await keepRequest(context, organizationId, provider.name, quantity)',
    ''
  ),
  expansion(
    'a seat that was bought elsewhere is bought again',
    'Math.max(item.quantity, wanted)',
    'item.quantity + 1'
  ),
  expansion('seats are bought for who waits', 'if (full.used < full.limit) return full', ''),
  expansion('an outage is a refusal for good', "error.kind === 'permanent'", 'true as boolean'),
  expansion('the library buys seats for itself', " &&\n        caller.type !== 'system'", ''),
  presence('proofs are not capped', 'if (count > rules.mostAttempts) {', 'if (false as boolean) {'),
  presence('a proof counts without an end', 'row.freshUntil > now()', '(true as boolean)'),
  presence('a proof counts for another user', 'row.userId === userId', '(true as boolean)'),
  adapter(
    'an adapter for tests runs in production',
    'isProduction && adapter.testOnly === true',
    'false as boolean'
  ),
  adapter(
    'any answer of isAdmin makes an administrator',
    '(await adapter.isAdmin?.(user)) === true',
    'Boolean(await adapter.isAdmin?.(user))'
  ),
  entitledNow('subscriptions are not merged', 'granting.length === 0', 'granting.length <= 9'),
  entitle('the revision is not guarded', '= ${state?.revision ?? 0}`', '>= 0`'),
  entitle(
    'the limit of a contract that ended is kept',
    'isAhead(override, now) && override?.before === null',
    'isAhead(override, now)'
  ),
  entitle(
    'a contract that is ahead ends the limit in force',
    'isAhead(override, now) && override?.before === null',
    'false as boolean'
  ),
  contracts(
    'a contract that is ahead forgets the one before it',
    'before: kept }',
    'before: null }'
  ),
  contracts(
    'a contract that is replaced before its start is in force until the next one',
    'isAhead(earlier, setAt) ? (earlier?.before ?? null) : earlier',
    'earlier'
  ),
  contracts('a contract may end before it begins', 'until <= from) return', 'until < from) return'),
  truth('an event has no version of its limit', "'limit_version', version)", "'limit_version', 0)"),
  entitle('an unknown limit holds without an end', 'now < heldUntil', 'true'),
  entitle('an unknown limit is in force at once', 'heldUntil !== null && now < heldUntil', 'false'),
  entitle('the version stays', 'present.version + 1', 'present.version'),
  entitle('being over has no beginning', 'case when ${isOver} then ${since} end`', 'null`'),
  excess(
    'owners are suspended',
    'ne(memberships.role, roles.owner)',
    'eq(memberships.status, memberships.status)'
  ),
  excess(
    'the oldest are suspended first',
    'desc(memberships.createdAt), desc(memberships.id)',
    'memberships.createdAt, memberships.id'
  ),
  excess('a grace is passed over', 'state.overGraceEnd <= now', 'true'),
  excess(
    'block_change suspends',
    "if (policy === 'block_change' || !state?.overSince) return false\n  return policy === 'suspend_excess' ||",
    "if (!state?.overSince) return false\n  return policy !== 'allow_with_grace' ||"
  ),
  excess('one more is suspended', 'held - limit.seats)', 'held - limit.seats + 1)'),
  excess('the limit is not guarded', 'guardAsRead(seatgate, organization.id, rows),', ''),
  restoring(
    'those of an admin are restored',
    "sql`${memberships.suspendedBy} = 'over_limit'`",
    "eq(memberships.status, 'suspended')"
  ),
  restoring(
    'the newest return first',
    'asc(memberships.createdAt), asc(memberships.id)',
    'memberships.id'
  ),
  restoring(
    'one page of members returns',
    'const isFull = rows.suspended.length === step.most',
    'const isFull = false'
  ),
  restoring(
    'members return before the users who wait',
    'seatsWanted(sql`${id}`, seatContext, since, type)',
    'sql<number>`0`'
  ),
  restoring(
    'a member whom a hook refuses keeps the seat from the next',
    'more: !isUsedUp && (more || turnedAway.length > 0)',
    'more: !isUsedUp && more'
  ),
  sweeping(
    'a deleted organization stays due',
    'await batch(db, { ended: endTurn(db, organizationId) })',
    ''
  ),
  sweeping('no sweep restores members', 'await restoreInTurn(seatgate)', ''),
  sweeping(
    'what is due later is swept',
    'lte(entitlementStates.dueAt, now())',
    'isNotNull(entitlementStates.organizationId)'
  ),
  explain(
    'promised seats are not explained',
    'refusalAt(limit, held + reserved)',
    'refusalAt(limit, held)'
  ),
  explain(
    'members may see who holds seats',
    "authorizeFor(roles, found, 'members:manage')",
    'authorize(roles, found)'
  ),
  queries(
    'strangers may see seats',
    '(membership !== null || mayLookIn(caller, organization.id))',
    'true'
  ),
  unlimited('seats are claimed to be enforced', 'enforces: false', 'enforces: true'),

  ledger(
    'a repeat is not heard as one',
    "if (decision.kind === 'repeat') {",
    'if (false as boolean) {'
  ),
  ledger(
    'a reservation has no deadline in sight',
    '      this.#tables.add({ seatId, holder }, deadline, until)\n      this.#arm(deadline)',
    '      this.#tables.add({ seatId, holder }, deadline, until)'
  ),
  ledger(
    'a reservation counts as held',
    'this.#tables.add({ seatId, holder }, deadline, until)',
    'this.#tables.add({ seatId, holder }, deadline, until)\n      this.#tables.hold({ seatId, userId: holder })'
  ),
  ledger(
    'a seat is freed by the clock alone',
    'const carried = await settleSeats(drizzle(this.env.DB), organizationId, seatIds, new Date(now))',
    'const carried = new Map()'
  ),
  ledger(
    'a seat is freed if D1 does not answer',
    'const carried = await settleSeats(drizzle(this.env.DB), organizationId, seatIds, new Date(now))',
    'const carried = await settleSeats(drizzle(this.env.DB), organizationId, seatIds, new Date(now)).catch(() => new Map())'
  ),
  ledger('the alarm does not come again', '    this.#arm(Date.now() + RETRY_MS)\n', ''),
  ledger(
    'the alarm frees what is held',
    'this.#tables.dropReservation(seat)',
    'this.#tables.remove(seat)'
  ),
  ledger(
    'the alarm frees nothing',
    'if (settled === undefined || this.#tables.isDouble(seat, settled.userId)) {\n        this.#tables.dropReservation(seat)\n      }',
    'if (settled === undefined || this.#tables.isDouble(seat, settled.userId)) continue'
  ),
  ledger('the next deadline is not armed', 'else this.#arm(next)', 'else void next'),
  ledger('a release is not heard', '() => this.#tables.remove(request)', '() => undefined'),
  ledger(
    'a confirmation is not heard',
    '() => this.#settle(request, request.until)',
    '() => undefined'
  ),
  ledger(
    'a promise is held for ever',
    '    if (until === null) return this.#tables.hold(seat)\n',
    '    if (until !== 0) return this.#tables.hold(seatId)\n'
  ),
  ledger(
    'a ledger answers for any organization',
    "if (known !== null) throw new Error('This ledger belongs to another organization.')",
    ''
  ),
  ledger('two starts at once', 'this.#starting ??= ', 'this.#starting = '),
  ledger(
    'a ledger that cannot start counts from nothing',
    "event: 'ledger_start_failed', organizationId, error })\n      return refused({ code: 'seats_unavailable' })",
    "event: 'ledger_start_failed', organizationId, error })\n      return this.ctx.storage.transactionSync(decide)"
  ),
  ledger(
    'a lost alarm stays lost',
    'if (known === organizationId) return this.#rearm()',
    'if (known === organizationId) return'
  ),
  ledger(
    'a later alarm replaces an earlier one',
    'if (this.#armedFor !== null && this.#armedFor <= at) return',
    ''
  ),
  ledger(
    'nobody is asked after an import',
    '      this.#tables.start({ ...start, organizationId })\n      this.#rearm()',
    '      this.#tables.start({ ...start, organizationId })'
  ),
  tables('an older limit counts in the ledger', ' WHERE version < ?1', ''),
  tables(
    'a presented promise is not asked about soon',
    'const until = Math.min(seat.until, deadline)',
    'const until = Math.max(seat.until, deadline)'
  ),
  tables(
    'the alarm drops what was confirmed meanwhile',
    'const row = findReserved(sought)',
    'const row = find(sought, claimsNow())'
  ),
  tables('a deadline is overlooked', 'WHERE deadline <= ?', 'WHERE deadline < ? - 3600000'),
  tables(
    'every seat is read for the next deadline',
    'AS next FROM seats WHERE deadline IS NOT NULL',
    'AS next FROM seats'
  ),
  tables('confirming keeps the deadline', 'else if (seat) setDeadline(seat, null)', ''),

  memberClaim(
    'a founder asks for a seat',
    "claim(membership, 'founding', null, inserting(db))",
    "claim(membership, 'new', null, inserting(db))"
  ),
  gate(
    'the seat that an invitation keeps for a member is a new one',
    "kept ? 'reserved' : claim.kind",
    'claim.kind'
  ),
  gate(
    'a seat of another type stays with a new role',
    ' && typeOfSeat(seatId) === type',
    ' && type === type'
  ),
  gate(
    'the seat of the former type is not freed',
    'seatId === null || seatId === given',
    'seatId === null || given !== null'
  ),
  d1Seats(
    'the seats of another type are counted',
    '${seatsHeld(organizationId, type)} + ',
    '${seatsHeld(organizationId)} + '
  ),
  memberClaim(
    'the holder of a reserved seat is the user',
    'kept ? invitationHolder(id) : userId',
    'kept && !kept ? invitationHolder(id) : userId'
  ),
  memberClaim(
    'a seat that is waited for is like any other',
    "awaited ? 'awaited' : 'new'",
    "awaited ? 'new' : 'new'"
  ),
  gate(
    'a promised seat is given back',
    "const reservedBefore = kind === 'reserved'",
    'const reservedBefore = false'
  ),
  gate(
    'a refused seat is not given back',
    'reservedBefore ? [] : [releaseSeat(context, seat)]',
    '[]'
  ),
  gate(
    'some of several are let in',
    'if (refusal === undefined) return ok(claimed)',
    'if (refusal === undefined || claimed.length > 0) return ok(claimed)'
  ),
  gate(
    'who was let in before a refusal keeps the seat',
    `  await giveBack(
    context,
    claimed.flatMap(({ taken }) => (taken === null ? [] : [taken]))
  )
  return refusal`,
    '  return refusal'
  ),
  gate(
    'the guards of a seat are not in the batch',
    '[...guards, claim.write(seatId)]',
    '[claim.write(seatId)]'
  ),
  gate('a seat has no event', '...claim.events(seat, counts, reservedBefore)', ''),
  invitationClaim(
    'an invitation’s seat is confirmed for good',
    'until: expiresAt',
    'until: expiresAt && null'
  ),
  invitationClaim(
    'a kept seat is reserved once more on record',
    "kept ? [] : [seatEvent(seat, 'seat.reserved', { ...promise, ...counts })]",
    "kept ? [seatEvent(seat, 'seat.reserved', { ...promise, ...counts })] : [seatEvent(seat, 'seat.reserved', { ...promise, ...counts })]"
  ),
  gate(
    'a founder’s seat is confirmed',
    "kind === 'founding'\n        ? null\n        : { seat",
    '{ seat'
  ),
  gate(
    'a provider that breaks breaks the caller',
    "    context.report({ event: 'seat_reserve_failed', organizationId: first.organizationId, error })\n    return requests.map(() => refused({ code: 'seats_unavailable' }))",
    '    throw error'
  ),
  gate('a provider limits founders', "grant && claim.kind !== 'founding'", 'grant'),
  gate(
    'who cannot release is told so',
    "    context.report({ event: 'seat_release_failed', organizationId, error })",
    '    throw error'
  ),

  exit('a suspended member keeps the seat', ', seatId: null, updatedAt: now', ', updatedAt: now'),
  exit(
    'a departure does not free its seat',
    'freedSeats: freed.map(({ seat }) => seat)',
    'freedSeats: []'
  ),
  exit(
    'a freed seat is not on record',
    'events: [...leavers.map(eventOf), ...released]',
    'events: leavers.map(eventOf)'
  ),
  exit('sessions keep their way to what was left', '[...pointers.statements, write]', '[write]'),
  exit(
    'a departure is not on record',
    'events: [...leavers.map(eventOf), ...released]',
    'events: released'
  ),
  exit('a suspension has no owner', 'suspendedBy: by, ', ''),

  conclusion('seats of a rolled back batch are kept', '  await giveBack(context, unused)\n', ''),
  conclusion(
    'seats of a second attempt are given back',
    'takenSeats.filter((seat) => !seat.batch.sent)',
    '[...takenSeats]'
  ),
  conclusion(
    'a batch whose seats are gone is sent again',
    'if (takenSeats.some((seat) => seat.batch.released)) {',
    'if (false as boolean) {'
  ),
  conclusion(
    'nobody is told of a commit',
    '    await afterCommit(context, prepared, statements, done.answers)\n',
    ''
  ),
  conclusion(
    'a freed seat comes late',
    'await Promise.all(releasedNow.map((seat) => releaseSeat(context, seat)))',
    'void releasedNow'
  ),
  conclusion('a taken seat is not confirmed', '    ...takenSeats.map(', '    ...[].map('),
  batch('events are not recorded', '      ...recorded.statements,\n', ''),
  batch(
    'a seat’s event is not recorded',
    '...plan.events, ...claimed.flatMap((claim) => claim.events)',
    '...plan.events'
  ),
  dispatch('nobody wakes the forwarder', '[() => queue.send({ organizationId: only })]', '[]'),
  dispatch(
    'of several organizations nobody wakes the forwarder',
    'map((messages) => () => queue.sendBatch(messages))',
    'flatMap(() => [])'
  ),
  ledger(
    'a close that is meant for an earlier ledger empties the one in force',
    'epoch !== present',
    'epoch > present'
  ),
  purgingFences(
    'fences are deleted and nothing keeps out what is late',
    '.set({ fencedThrough: new Date(through) })',
    '.set({ fencedThrough: new Date(0) })'
  ),
  purgingFences(
    'fences are deleted at once, while what they keep out is granted',
    'const through = now.getTime() - keptMs',
    'const through = now.getTime() + keptMs'
  ),
  ledgerSeats(
    'what is late lands once its fence is deleted',
    'case when fenced_through < ${at} then epoch end',
    'case when ${at} >= 0 then epoch end'
  ),
  storedRefusals(
    'what a stranger is refused is stored',
    '(membership !== null || !ABSENT.has(refusal.code))',
    'true'
  ),
  switching('every switch is on record', 'recorded: count <= RECORDED_AN_HOUR', 'recorded: true'),
  joinings(
    'somebody may ask and take back as often as they like',
    '    ...countMore(context, [joinRate(organizationId, userId)], 1, now),\n',
    ''
  ),
  auditStatements(
    'of many events each has the same sequence',
    'row_number() over (partition by ${organizationId} order by json_each.key)',
    '1'
  ),
  auditStatements(
    'a prepared batch commits a second time, with the seat of who has left',
    'idempotencyKey = onlyOnce ? `once:${id}` : null',
    'idempotencyKey = null'
  ),
  auditStatements(
    'a prepared batch that is sent again is refused as an outage',
    'if (event.onlyOnce) return [guardUnrecorded(context.db, row), insertion]',
    'if (event.onlyOnce) return [insertion]'
  ),
  outbox('a replay wakes no consumer', 'return known || wakesConsumers', 'return known'),
  auditStatements(
    'many events are one statement each',
    'if (!areFew(run)) return insertEvents(context, now, run)',
    ''
  ),
  fulfilment(
    'what was done is done again',
    'done: db.delete(jobs).where(inIds(done))',
    'done: db.delete(jobs).where(inIds([]))'
  ),
  recipientLimit(
    'an address gets one mail more than the limit',
    'claimed.count > limits.perRecipient',
    'claimed.count > limits.perRecipient + 1'
  ),
  recipientLimit(
    'a mail that the mailer did not take counts',
    '.set({ count: sql`${rateLimits.count} - 1` })',
    '.set({ count: sql`${rateLimits.count}` })'
  ),
  roles(
    'a role that is not configured any more is granted',
    'return all.includes(role)',
    'return all.length >= 0 || role'
  ),
  roles(
    'anybody gives permissions that they have not',
    '!roles.bounded || permissionsOf(roles, role).every((each) => own.includes(each))',
    'own.length > 0'
  ),
  roles('lists of roles without grants bound what is given', '!roles.bounded || ', ''),
  authorization(
    'every member has every permission',
    '!access.ok || access.value.permissions.includes(permission)',
    '!access.ok || permission.length > 0'
  ),
  authorization(
    'an owner needs no permission',
    'orOwner && access.value.role === roles.owner',
    'access.value.role === roles.owner'
  ),
  permissionOptions('a wildcard is of every resource', '`${resourceOf(each)}:*`', '`${name}`'),
  permissionOptions(
    'a permission that does not exist is granted',
    'if (stranger >= 0) {',
    'if (stranger >= names.length) {'
  ),
  permissionOptions(
    'the role of owners can be granted less',
    'if (role === owner) {',
    "if (role === '') {"
  ),
  permissionGuards(
    'a guard looks for another permission',
    'return permissions.includes(permission)',
    'return permissions.length > 0 || permissions.includes(permission)'
  ),
  inFile('engine/model/joining-members.ts')(
    'a request for a role that is gone holds up the line',
    "state = 'waiting' and ${hasKnownRole(roles)}`",
    "state = 'waiting' and ${roles.all.length} > 0`"
  ),
  shownText('a name may turn the line', '|(?![\\u200c\\u200d])\\p{Cf}/gu', '/gu'),
  shownText(
    'a name without anything visible is a name',
    'SEEN.test(plain) ? cut(plain) : null',
    'cut(plain)'
  ),
  batchRefusals(
    'a refusal loses its numbers',
    'limit: numbers[0] ?? 0, used: numbers[1] ?? 0',
    'limit: numbers[1] ?? 0, used: numbers[0] ?? 0'
  ),
  batchRefusals(
    'the last owner is planned again',
    "    case 'broken':\n",
    "    case 'broken':\n    case 'last_owner':\n"
  ),
  batchRefusals(
    'the last owner is planned anew',
    "case 'stale':",
    "case 'last_owner':\n    case 'stale':"
  ),
  combining(
    'combined changes forget seats',
    'takenSeats: [...first.takenSeats, ...second.takenSeats]',
    'takenSeats: first.takenSeats'
  ),
  combining(
    'combined changes forget freed seats',
    'freedSeats: [...first.freedSeats, ...second.freedSeats]',
    'freedSeats: first.freedSeats'
  ),
  batch('the host’s hook is not asked', '  if (!allowed.ok) return allowed\n', ''),
  batch('jobs are not written', '      ...jobs.statements,\n', ''),
  background(
    'what goes wrong afterwards is thrown',
    "        report({ event: 'background_failed', organizationId, error })",
    '        throw error'
  ),

  end(
    'an ended invitation keeps its seat',
    'freedSeats: each.flatMap(({ freed }) => freed.map(({ seat }) => seat))',
    'freedSeats: []'
  ),
  end(
    'a superseded invitation frees the seat that passes on',
    'seatId === null || keepSeat || ',
    'seatId === null || '
  ),
  end(
    'a declined invitation is revoked',
    "if (reason === 'declined') return { declinedAt: now }",
    "if (reason === 'declined') return { revokedAt: now }"
  ),
  end('the end of an invitation has no event', '=> [event, ...freed', '=> [...freed'),
  end('the freed seat has no event', ', ...freed.map((seat) => seat.event)]', ']'),
  guards(
    'an invitation that was ended may be used',
    '\n      and ${isReserved()} and ${isPending(now)})`',
    ')`'
  ),
  guards(
    'an old token may be used',
    ' and token_hash = ${tokenHash} and role = ${role}\n      and ${isReserved()}',
    ' and role = ${role}\n      and ${isReserved()}'
  ),
  guards(
    'an invitation’s role may change on the way',
    ' and role = ${role}\n      and ${isReserved()}',
    '\n      and ${isReserved()}'
  ),
  guards(
    'a finished invitation is ended again',
    ' and role = ${role} and ${isUnfinished()})`',
    ' and role = ${role})`'
  ),
  guards(
    'an invitation of an old token is ended',
    ' and token_hash = ${tokenHash} and role = ${role} and ${isUnfinished()})`',
    ' and role = ${role} and ${isUnfinished()})`'
  ),
  guards('some of many invitations may be ended meanwhile', '= ${length}', '>= 0'),
  lost('an invitation may be ended meanwhile', '= ${rows.length}', '>= 0'),
  lost(
    'another invitation may take an old one’s place',
    '      and not exists (select 1 from seatgate_invitations\n        where organization_id = ${organizationId} and ${isUnfinished()}\n        and ${row} not in (select value from json_each(${known})))`',
    '`'
  ),
  guards('a declined invitation is unfinished', ' and declined_at is null`', '`'),
  acceptance(
    'a token that was told verifies an address',
    '...(provesMailbox ? markVerified(context, userId, now) : []),',
    '...markVerified(context, userId, now),'
  ),
  acceptance(
    'an address that changed meanwhile is verified',
    '[...guardAddress(context, user), ...marks]',
    'marks'
  ),
  token(
    'the told token is taken for the mailed one',
    "provesMailbox: kind === 'mailed',",
    'provesMailbox: true,'
  ),
  token(
    'the mailed token can be made of the bytes of the told one',
    'return sha256(concatBytes(utf8ToBytes(TOLD_PURPOSE), mailed))',
    'return mailed'
  ),
  proofs(
    'without emailVerification every address is verified',
    'if (emailVerification === null) return sql<number>`0`',
    'if (emailVerification === null) return sql<number>`1`'
  ),
  proofs(
    'a domain lets in by an address that nobody has proven',
    'return sql<number>`coalesce(${emailVerification.column}, 0) <> 0`',
    'return sql<number>`1`'
  ),
  guards('a proof of one address verifies another', ' and ${users.email} = ${email}', ''),
  present(
    'whoever comes second is answered the membership of the first',
    ' || invitation.acceptedById !== user.id',
    ''
  ),
  acceptance(
    'a new seat beside the promised one',
    "    path: path ?? 'invitation',\n    seatId,\n",
    "    path: path ?? 'invitation',\n"
  ),
  acceptance(
    'an accepted invitation is not stamped',
    '.set({ acceptedAt: now, acceptedById: userId, updatedAt: now })',
    '.set({ updatedAt: now })'
  ),
  acceptance(
    'an invitation may be ended on the way',
    '    guardPending(context, invitation, now),\n',
    ''
  ),
  acceptance(
    'a deleted organization lets people in',
    '    guardOrganization(context, organization),\n',
    ''
  ),
  acceptance(
    'who is in already keeps a second seat',
    'freedSeats: freed.map(({ seat }) => seat)',
    'freedSeats: []'
  ),
  acceptance(
    'an acceptance is not on record',
    '    events: [\n      ...(added.events ?? []),\n',
    '    events: added.events ?? [],\n    ignored: [\n'
  ),
  acceptance('who is in already accepts without a record', '        already_member: true,\n', ''),
  addition(
    'the host’s hook is not asked',
    "    before: [{ hook: 'beforeAddMember', state: { ...newcomer, path: door, caller } }],\n",
    ''
  ),
  plan(
    'an invitation again takes another seat',
    'earlier && earlier.expiresAt > now ? earlier.seatId : null',
    'earlier && earlier.expiresAt > now ? null : null'
  ),
  plan(
    'the seat of an expired invitation passes on',
    'holdSeats && earlier && earlier.expiresAt > now ? earlier.seatId',
    'holdSeats && earlier ? earlier.seatId'
  ),
  plan('the earlier invitation lives on', '      ...ended.statements,\n', ''),
  plan(
    'the earlier invitation may change on the way',
    '      ...guardAllUnfinished(context, earlier),\n',
    ''
  ),
  plan(
    'a seat that the earlier one held is not freed',
    'freedSeats: ended.freedSeats',
    'freedSeats: []'
  ),
  plan(
    'an invitation holds no seat',
    'claim: holdSeats ? claimForInvitation(context.db, row, kept) : null',
    'claim: null'
  ),
  constraints(
    'a unique key of the host’s is a race',
    "OWN_UNIQUE.has(unique) ? 'key' : 'host'",
    "'key'"
  ),
  constraints(
    'a constraint is looked for anywhere in a message',
    '/^(?:D1_ERROR: )?((?:UNIQUE',
    '/((?:UNIQUE'
  ),
  committing(
    'any guard code is one of the library’s',
    'GUARD_CODES.find((known) => known === word)',
    '(word as GuardCode)'
  ),
  committing(
    'a guard that is a CHECK is not recognized',
    '/^(?:CHECK constraint failed: )?guard:',
    '/^guard:'
  ),
  recheck(
    'a domain without its record lets people in for ever',
    "mode !== 'auto' || now.getTime()",
    'true || now.getTime()'
  ),
  recheck('there is no period of grace', '- since.getTime() < graceMs', '- since.getTime() < 0'),
  domains(
    'a resolver that fails is a missing record',
    "if (!proven.ok && proven.error.code !== 'domain_not_verified') return\n",
    ''
  ),
  schemaCheck(
    'a database that did not fit is not asked again',
    '  if (mismatch !== null) throw',
    '  fitting.add(clientOf(db))\n  if (mismatch !== null) throw'
  ),
  schemaCheck(
    'a missing table of the host is one of Seatgate’s',
    'HOST_TABLE.test(said)',
    'HOST_TABLE.test(REMEDY)'
  ),
  schemaCheck('every batch reads the version', 'fitting.has(clientOf(db))', 'false'),
  schemaCheck('migrations that are behind are served', 'row.version < expected', 'row.version < 0'),
  schemaCheck(
    'a newer schema is refused',
    'row.compatibleFrom > expected',
    'row.version > expected'
  ),
  storeRefusal('a statement that D1 refuses is a question of seats', 'grows && isOutage', 'grows'),
  conclusion(
    'a conflict of the host’s is told to nobody',
    "  if (done.code === 'host_conflict') reportConflict(context, prepared, done)\n",
    ''
  ),
  signUp(
    'an address that was taken meanwhile is a conflict of the host’s',
    'sql`not exists (select 1 from ${users}',
    'sql`true or not exists (select 1 from ${users}'
  ),
  inFile('engine/model/plan.ts')(
    'a call has no id of its own',
    ', eventId }\n',
    ", eventId: 'x' }\n"
  ),
  inFile('engine/model/joining-members.ts')(
    'the requests of a deleted organization end without a word',
    '    ...callHooks(context, caller, organizationId, now),\n',
    ''
  ),
  plan('the end of the earlier one is not on record', '      ...ended.events,\n', ''),
  token('a token has several spellings', ' || toBase64Url(sealed) !== text', ''),

  honoGuards(
    'a guard without its loader lets through',
    'if (caller === undefined || variable === undefined) {',
    'if (false as boolean) {'
  ),
  honoGuards(
    'who is signed out is asked to choose an organization',
    "if (caller === null) return { code: 'unauthenticated' }",
    "if (caller === null) return { code: 'no_active_organization' }"
  ),
  returnPath(
    'the way back from a POST is its own path',
    "if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return null",
    ''
  ),

  verifier(
    'a record of a purge counts though no checkpoint covers it',
    'this.#horizon > 0 && this.#purgedAt > this.#provenThrough',
    'this.#horizon > 0 && this.#purgedAt === Infinity'
  ),
  verifier(
    'an export of which nothing is proven is well',
    "if (this.#tree.size > this.#horizon && this.#provenThrough <= this.#horizon) return 'unproven'",
    ''
  ),
  strictJson(
    'a key may be there twice',
    'if (keys.has(key))',
    'if (keys.has(key) && key.length === 0)'
  ),
  strictJson('a number may be written in any way', 'String(Number(number)) !== number', 'false'),
  personal(
    'a text is cut within a character',
    'shortened(value, longest)',
    'value.slice(0, longest)'
  ),
  ndjson('separators stay as they are', '.replace(SEPARATORS, escaped)', ''),
  hostEvent(
    'metadata may have half a surrogate pair',
    'if (!isAllWellFormed(plainData))',
    "if (!isAllWellFormed('x'))"
  ),
  lost(
    'who was put out keeps the invitations that they have sent',
    'row.invitedById === userId && !couldSend(row.role)',
    'row.invitedById === userId && !couldSend(row.role) && rights !== null'
  ),
  lost(
    'who was demoted keeps the invitations to the owner’s role',
    'rights !== null && mayInvite(roles, rights, to)',
    'rights !== null'
  ),
  lost(
    'who is invited while they are added takes two seats',
    'sql`not exists (${invited})`',
    'sql`exists (${invited}) or true`'
  ),
  lost(
    'an invitation that is sent meanwhile outlives its sender',
    'guardAround(context, loss, open), ',
    ''
  ),
  exclusions(
    'an account of the same address is not known',
    'digestOf(salt, currentAddress) === digest',
    'digestOf(salt, currentAddress) === salt'
  ),
  changeSink(
    'who was demoted still sees to sinks',
    'guardAccess(context, keeper.value)',
    'guardAccess(context, { ...keeper.value, membership: null })'
  ),
  erase('an erasure takes more than it counts', 'guardRecords(context, userId, records),', ''),

  address('a name of the inside is public', ' && !INNER_ENDS.has(top)', ''),
  address('a label may be empty', 'labels.every((label) => LABEL.test(label)) && ', ''),
  address('one label is a public name', 'labels.length < 2 || ', ''),
  csv('a semicolon is not quoted', '[",;', '[",'),

  outbox('nobody waits until events are sealed', '...(sealing ? [sealed] : []),', ''),
  inFile('parts/log/log.ts')(
    'the log accepts no event',
    'accepts: () => true',
    'accepts: () => false'
  ),
  inFile('engine/delivery/deliver.ts')(
    'a sink accepts every event',
    'accepts: (action) => keptOutBy(sink, action) === null',
    'accepts: () => true'
  ),
  outbox(
    'a sink whose filter throws accepts no event',
    '  } catch {\n    return true',
    '  } catch {\n    return false'
  ),
  outbox(
    'an event that only the batch knows is not accepted',
    'withFollowing(action).some(',
    '[action].some('
  ),
  letters(
    'a letter that is refused again stays delivered',
    "state: 'dead',\n        reason: sql`excluded.reason`",
    'reason: sql`excluded.reason`'
  ),
  outgoing(
    'lists in lists go out as they are',
    'value.map((item) => walk(item, path))',
    'value.map((item) => (Array.isArray(item) ? item : walk(item, path)))'
  ),
  body(
    'any type of body is JSON',
    "  if (type && !isJson(type)) return new UnreadableInput({ code: 'unsupported_media_type' })\n",
    ''
  ),
  body('a body without a type is JSON', "if (!type && text !== '')", 'if (false as boolean)'),
  body('bytes that are not UTF-8 are replaced', 'fatal: true', 'fatal: false'),
  mediaType(
    'another charset is read as UTF-8',
    "charset === null || charset === 'utf-8'",
    "true || charset === 'utf-8'"
  ),
  crossSite(
    'a cookie is not looked at',
    "return c.req.header('cookie') !== undefined",
    'return false'
  ),
  crossSite(
    'credentials that a browser sends by itself count as a token',
    "['basic', 'digest', 'negotiate', 'ntlm'].includes(scheme)",
    'false'
  ),
  crossSite(
    'a subdomain is this site',
    "site !== 'none'",
    "site !== 'none' && site !== 'same-site'"
  ),
  crossSite(
    'a page without an origin is this site',
    'origin !== undefined && origin !== new URL',
    "origin !== undefined && origin !== 'null' && origin !== new URL"
  ),
  encoding(
    'a query is searched for another text',
    'if (!isWellEncoded(search)) throw',
    'if (false as boolean) throw'
  ),
  noStore(
    'answers stay in caches',
    "if (!c.res.headers.has('cache-control'))",
    'if (false as boolean)'
  ),
  operationRecord(
    'the result of another attempt that was first is not returned',
    'return isOurs ? null : replay<unknown, Code>(first, key)',
    'return isOurs || first ? null : replay<unknown, Code>(first, key)'
  ),
  operationRecord(
    'somebody who acts as a user has the keys of the user',
    'id: actor === null ? id : `${id}${ACTING}${await fitting(actor)}`,',
    'id,'
  ),
  operationRecord(
    'a long key of an operator who acts as a user does not fit its column',
    'return part.length <= LONGEST_PART ? part : sha256(part)',
    'return part'
  ),
  operationRecord(
    'an id may look like that of another actor',
    'canonicalJson([question, actor])',
    'canonicalJson([question])'
  ),
  operationRecord(
    'the order of members makes another request',
    'sha256(canonicalJson([question, actor]))',
    'sha256(JSON.stringify([question, actor]))'
  ),
  newToken(
    'a secret that was changed is an outage',
    "if (error instanceof DOMException && error.name === 'OperationError') {",
    'if (error === null) {'
  ),
  newToken(
    'what waits to be mailed has its token in clear',
    'encrypted: await encrypt(secret, bytes),',
    'encrypted: btoa(String.fromCharCode(...bytes)),'
  ),
  transfer(
    'an organization is transferred without a proof',
    '          proof: proving(parsed.value),\n',
    ''
  ),

  standing(
    'anybody reads what operators read',
    "return isOperator(by) || isSystem(by) ? ok(by) : refused({ code: 'insufficient_role' })",
    'return ok(by)'
  ),
  platform(
    'who is no operator learns that an organization exists',
    "return refused({ code: code === 'insufficient_role' ? 'organization_not_found' : code })",
    'return refused({ code })'
  ),
  honoGuards(
    'anybody passes as an operator',
    'if (!isOperator(caller) && !isSystem(caller)) {',
    'if (false as boolean) {'
  ),
  invitationRoutes(
    'a list tells the inviter the token that proves an address',
    'invitation: withoutMailToken(row.value)',
    'invitation: row.value'
  ),
  createMany(
    'the stored answer to a list has tokens in clear',
    'seal: (outcomes) => outcomes.map(sealOne),',
    'seal: (outcomes) => outcomes,'
  ),
  reseating(
    'a seat is on record for a member who is not there any more',
    '= ${seated.length}`',
    '>= 0`'
  ),
  repair(
    'a repair takes the fence of a seat that was given up meanwhile',
    'or exists (select 1 from seatgate_invitations where seat_id = seatgate_seat_fences.seat_id and ${isPending(now)}))`',
    'or 1)`'
  ),
  start(
    'a ledger counts too few members whose seats it has not imported',
    'const members = found.counts[0]?.seats ?? 0',
    'const members = 0 * (found.counts[0]?.seats ?? 0)'
  ),
  start(
    'a page of an import skips a member',
    "{ stage: 'members', after: last.holder }",
    "{ stage: 'members', after: `${last.holder}0` }"
  ),
  ledger('the alarm imports no page', '      await this.#importNext(organizationId)\n', ''),
  ledger(
    'a claim during an import does not read its own seat',
    'if (known !== null && claims.length > 0 && this.#tables.place()) {',
    'if (known !== null && claims.length > 1000 && this.#tables.place()) {'
  ),
  ledger(
    'a count that may be too high refuses with a number',
    'const certain = refusal.used - this.#tables.mayOvercount() >= refusal.limit',
    'const certain = refusal.used >= refusal.limit'
  ),
  ledger(
    'seats are counted before all invitations are known',
    "if (this.#tables.place()?.stage === 'invitations')",
    "if (this.#tables.place()?.after === '?')"
  ),
  ledger(
    'a page that an earlier start has read is imported',
    'if (this.#tables.epoch() === epoch && this.#tables.place()?.after === place.after) {',
    'if (this.#tables.epoch() !== null && epoch !== null) {'
  ),
  ledger(
    'seats are granted before all invitations are known',
    "if (count.limit.kind === 'finite' && !this.#count(request).ok) {",
    "if (count.limit.kind === 'finite' && count.limit.seats < 0) {"
  ),
  tables(
    'a page brings back a released seat',
    "if (importing) sql.exec('INSERT OR IGNORE INTO released VALUES (?)', seatId)",
    'void seatId'
  ),
  tables(
    'an import is compared with D1 before it is over',
    'row === undefined || importing) return null',
    'row === undefined) return null'
  ),
  dueSeats(
    'the sweep does not notice which organizations have changed',
    'head > coalesce(checked, 0)',
    'head > coalesce(checked, 0) + 1000'
  ),
  dueSeats(
    'the comparison of trails does not move on',
    "const comparedTo = isWhole ? '' : (last[0]?.last ?? '')",
    "const comparedTo = isWhole ? '' : (last[0]?.last ?? '').slice(0, 0)"
  ),
  dueSeats(
    'an organization that changes all the time keeps others from their verification',
    'longestAgo(a) - longestAgo(b)',
    'longestAgo(b) - longestAgo(a)'
  ),
  dueSeats('a deleted organization is verified', 'and live.deleted_at is null', ''),
  replica(
    'a list of a replica that does not know the caller yet is taken',
    'here !== null && accessIn(here) === accessIn(there)',
    'here !== null'
  ),
  replica(
    'a bookmark of a client is not used',
    "const from = isBookmark(bookmark) ? bookmark : 'first-unconstrained'",
    "const from = isBookmark(bookmark) && bookmark === '' ? bookmark : 'first-unconstrained'"
  ),
  replica(
    'a session for a change does not begin at the primary',
    "client.withSession('first-primary')",
    "client.withSession('first-unconstrained')"
  ),
  conclusion(
    'a taken seat is confirmed twice',
    '    ...takenSeats.map(',
    '    ...[...takenSeats, ...takenSeats].map('
  ),
  tables(
    'a seat that is confirmed twice counts twice',
    'held + (NEW.deadline IS NULL) - ${wasHeld}',
    'held + (NEW.deadline IS NULL)'
  ),
  line(
    'a person who has left the line is let in',
    '      guardFirst(context, first),\n      guardExclusions(',
    '      guardExclusions('
  ),
  line(
    'an approval counts though the approver could not give it any more',
    'if (decidedById === null || invitations?.outliveInviter) return true',
    "if (decidedById !== '' || invitations?.outliveInviter) return true"
  ),
  line(
    'an approver who loses the role while the first is let in is overlooked',
    "...guardApprover(context, approver),\n      endRequest(context, first, 'joined', now),",
    "endRequest(context, first, 'joined', now),"
  ),
  plan(
    'an address is invited that has become a member’s meanwhile',
    '...(first ? guardNoMembers(context, first.row.organizationId, emails) : []),',
    ''
  ),

  identity(
    'an id is compared by the rules of the host’s column',
    ' and ${userIdText(users)} collate binary = ${userId})`',
    ')`'
  ),
  identity(
    'an id is shown as the column has it',
    'sql<string>`cast(${id} as text)`',
    'sql<string>`${id}`'
  ),
  identity('an id is compared without regard to case', ' collate binary = ', ' collate nocase = '),
  letterCase(
    'the Kelvin sign becomes a letter',
    'text.replace(EXCEPT_ASCII_IN_DISGUISE, (part) => part.toLowerCase())',
    'text.toLowerCase()'
  ),
  email(
    'a domain may have characters that become ASCII ones',
    '  if (hidesAscii(text)) return null\n',
    ''
  ),
  email(
    'a domain may have characters that vanish',
    '  if (/[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\p{Zs}\\u3002\\uff0e\\uff61]/u.test(text)) return true\n',
    ''
  ),
  email(
    'the Kelvin sign in an address becomes a letter',
    'return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())',
    'return text.toLowerCase()'
  ),
  email(
    'white space of every kind is taken away',
    "return text.replace(/^[ \\t\\r\\n]+|[ \\t\\r\\n]+$/g, '')",
    'return text.trim()'
  ),
  setLimit('a version may be the last one', 'max: LARGEST_VERSION', 'max: Number.MAX_SAFE_INTEGER'),
  setLimit(
    'a version after the last one is the last one',
    '!Number.isSafeInteger(version)',
    'false as boolean'
  ),
  honoRoutes(
    'a read ignores what it does not know',
    "if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return ok(null)",
    "if (c.req.method !== '') return ok(null)"
  ),
  honoRoutes(
    'of a parameter that is there twice the first one counts',
    'given.length === 1 ? given[0] : given',
    'given[0]'
  ),
  groupMembers('a group may have too many members', 'and members + ${more} <= ${memberLimit}', ''),
  groupMembers('a suspended user is added', "and status = 'active'", ''),
  groupMembers(
    'a removed member is removed again',
    '= ${userIds.length}`\n    ),',
    '>= 0`\n    ),'
  ),
  groupMembers('a role comes without its group', 'and role is ${role} ', ''),
  groupAdditions(
    'a caller gives more than they have by a group',
    'group.role !== null && !mayChangeRole',
    'group.role === null && !mayChangeRole'
  ),
  rolesCreated(
    'a caller makes a role with more than they have',
    'permissions.some((each) => !access',
    'permissions.every((each) => !access'
  ),
  rolesCreated(
    'a role takes the name of another one',
    'access.value.roles.all.includes(name) || ',
    ''
  ),
  rolesDeleted('a replacement may be the role of owners', 'role !== left.owner &&', ''),
  rolesDeleted(
    'a replacement gives more than the caller has',
    'given.some((each) => !permissions.includes(each))',
    'given.every((each) => !permissions.includes(each))'
  ),
  rolesDeleted('a role is deleted that is used meanwhile', '[guardUnused(context, after)]', '[]'),
  impersonations(
    'an impersonation outlives its end',
    '${tokenHash} = ${hash} and ${expiresAt} > ${now().getTime()}',
    '${tokenHash} = ${hash}'
  ),
  impersonations(
    'an impersonation is valid in a change that it ended before',
    'return sql`exists (select 1 from ${impersonations} where ${valid()})`',
    'return sql`true`'
  ),
  impersonationStarts(
    'an operator acts as another operator',
    'answer === false && userId',
    'userId'
  ),
  impersonationStarts(
    'an operator acts as a suspended member',
    "target?.status !== 'active'",
    'target === undefined'
  ),
  impersonationStarts(
    'a member who was suspended meanwhile is acted as',
    "user_id = ${userId} and status = 'active')",
    'user_id = ${userId})'
  ),
  rolesUpdated(
    'a role gets permissions that its editor has not',
    'if (added.some((each) => !access.value.permissions.includes(each))) {',
    'if (false as boolean) {'
  ),
  rolesUpdated(
    'a role takes the name of another one',
    'if (to !== name && (known.all.includes(to) || Object.hasOwn(own, to))) {',
    'if (false as boolean) {'
  ),
  rolesUpdated(
    'a role takes a name that something has meanwhile',
    'guardUnused(context, { organizationId, role: to, now }),',
    ''
  ),
  rolesUpdated(
    'a permission that is taken away ends nothing',
    'loses ? endLostOf(context, found.rows, after) : NOTHING_ENDS',
    'NOTHING_ENDS'
  ),
  scimPresence(
    'a person who joins meanwhile stays',
    'membership ? guardUnchanged(context, membership) : guardNoMember(context, change)',
    '...(membership ? [guardUnchanged(context, membership)] : [])'
  ),
  scimPresence(
    'a person passes those who wait for a seat',
    'if (waitsForSeat(context, scim.whenFull, scim.role)) {',
    'if (false as boolean) {'
  ),
  scimPresence(
    'a person who takes a place meanwhile keeps it',
    'statements: joining ? [guardNotWaiting(context, change)] : []',
    'statements: []'
  ),
  scimSuspension('the last owner is deactivated', '...guardAnotherOwner(context, membership),', ''),
  scimSuspension(
    'a member who changes meanwhile is deactivated',
    'guardUnchanged(context, membership),',
    ''
  ),
  scimChange(
    'a repeated push writes an event',
    'return isSame ? null :',
    'return (false as boolean) ? null :'
  ),
  scimChange(
    'a user takes the name of another one',
    'if (rows.others.some((other) => other.id !== id && hasKeyOf(pushed.value, other))) {',
    'if (false as boolean) {'
  ),
  scimChange(
    'a deactivated person keeps waiting',
    '? withEnd(planned.value, planNoWaiting(context, about))',
    '? planned.value'
  ),
  scimCreation(
    'an address from elsewhere is admitted',
    'return allowed.value ? ok({ pushed, person })',
    'return true ? ok({ pushed, person })'
  ),
  scimCreation(
    'an account with an address that is not proven is admitted',
    'if (context.users && rows.proven.length === 0) {',
    'if (false as boolean) {'
  ),
  scimRows('a user who changed meanwhile is changed', ' and version = ${version})', ')'),
  scimRows(
    'the version that If-Match names does not count',
    'ifMatch === undefined || isNamedBy',
    'true || isNamedBy'
  ),
  scimTokens(
    'a token outlives its end',
    'or ${scimTokens.expiresAt} > ${now().getTime()})',
    'or true)'
  ),
  scimTokens(
    'a token opens a deleted organization',
    'where id = ${organizationId} and deleted_at is null)',
    'where id = ${organizationId})'
  ),
  scimTokens(
    'the secret of a token is stored under a key',
    'seal: (value: ScimTokenWithSecret) => ({ ...value, token: null }),',
    'seal: (value: ScimTokenWithSecret) => value,'
  ),
  scimRotation('a rotation is repeated under a key', '      sealing: WITHOUT_SECRET,\n', ''),
  scimRotation(
    'a third token is valid',
    "if (valid.length > 1) return refused({ code: 'too_many' })",
    ''
  ),
  scimMembers(
    'a stranger comes into a group',
    'if (stranger !== undefined) {',
    'if (false as boolean && stranger) {'
  ),
  scimMembers('a removal takes all', '[...after].filter((id) => !ids.includes(id))', '[]'),
  scimGroup(
    'a group grows beyond its limit',
    "if (isOverfull(context, group, change.value)) return refused({ code: 'too_many' })",
    ''
  ),
  scimGroup('a group that changed meanwhile is changed', 'guardGroup(context, group),', ''),
  scimGroup(
    'those who leave a group keep what its role gave',
    'from: removed.length > 0 ? group.role : null',
    'from: null'
  ),
  userLimits(
    'a member who is added as an owner owns without a limit',
    "...(metadata['role'] === owner && { owns: subject })",
    ''
  ),
  userLimits(
    'a restored organization counts for no owner',
    "return { owns: 'owners' }",
    'return {}'
  ),
  userLimits('one more than the limit is let in', 'where used > most', 'where used > most + 1'),
  userLimits(
    'deleted organizations count against a limit',
    'and held.deleted_at is null and held.personal = 0',
    'and held.personal = 0'
  ),
  archive('a segment is not read back', '  await textOf(bucket, segment)\n', ''),
  archive(
    'another content of a segment is read',
    '(await sha256(text)) !== segment.digest',
    'false as boolean'
  ),
  archive('personal data are archived', '    personal: null,\n', ''),
  archive(
    'a segment with a gap before it begins at the first event',
    '      ${firstSequence - 1})`',
    '      0)`'
  ),
  archive('filters are ignored', ' && matchesFilters(filters, event)', ''),
  archive(
    'a page behind unread segments ends',
    'more: read < segments.length',
    'more: false as boolean'
  ),
  segments(
    'a page leaves out the segment of one event before it',
    'last_sequence >= ${after - 1}',
    'last_sequence >= ${after - 2}'
  ),
  segments(
    'the last segment is not selected',
    '.limit(SEGMENTS_PER_READ + 1)',
    '.limit(SEGMENTS_PER_READ)'
  ),
  purge(
    'events behind a segment are deleted',
    'segment !== null && !isOf(segment, planned)',
    'false as boolean'
  ),
  purge('a later event loses the personal data that it shares', ' and ${row} not in ${next}', ''),
  personalRows(
    'a row of personal data is shared without end',
    'occurredAt > now.getTime() - SHARED_FOR_MS',
    'occurredAt > 0'
  ),
  personalRows(
    'an address has the user agent of another request',
    ' and user_agent is ${data.userAgent}',
    ''
  ),
  personalRows('two users share a row', '`${organizationId} ${userId}`', '`${organizationId}`'),
  purge('a run passes its segment', 'segment?.lastSequence ?? Infinity', 'Infinity'),
  inviteLinks('a link admits more than its uses', 'and uses_left > 0 and role', 'and role'),
  inviteLinks(
    'a link is used while it is revoked',
    'where id = ${id} and revoked_at is null\n        and expires_at',
    'where id = ${id}\n        and expires_at'
  ),
  inviteLinks(
    'a link of a deleted organization opens it',
    'if (link === undefined || organization === undefined) {',
    'if (link === undefined) {'
  ),
  joinsByLink(
    'a user who was removed is let in by a link',
    'if (excluding(rows.excluded, by.userId).length > 0) {',
    'if (false as boolean) {'
  ),
  joinsByLink(
    'a member spends a use',
    "if (rows.organizations.length > 0 && existing?.status === 'active') {",
    'if (false as boolean) {'
  ),
  joinsByLink(
    'a link that is bound to a domain admits any address',
    'if (link.domain !== null && rows.verified[0]?.domain !== link.domain) {',
    'if (false as boolean) {'
  ),
  linksEnd(
    'the links of a suspended member stay open',
    "    case 'organization.member_suspend':\n",
    ''
  ),
  linksEnd(
    'a departure ends the links of everyone',
    'and created_by_id ${isOneOf(creatorIds)}',
    ''
  ),
  keysEnd(
    'the keys of a suspended member work on',
    "    case 'organization.member_suspend':\n",
    ''
  ),
  keysEnd(
    'a departure ends the keys of every creator',
    'and created_by_id ${creators}',
    'and created_by_id is not null'
  ),
  keysEnd('a departure ends the keys that were to stay', 'and ends_with_creator = 1 ', ''),
  keysEnd(
    'a creator keeps the keys with permissions that they have lost',
    "left: permissions.includes('organization:update') ? permissions : [],",
    'left: roles.permissions,'
  ),
  keys(
    'anyone gives a key any permission',
    '.every((each) => own.includes(each))',
    '.every((each) => own.includes(each) || true)'
  ),
  keys(
    'a key is valid in the millisecond in which it expires',
    '${expiresAt} > ${now().getTime()}',
    '${expiresAt} >= ${now().getTime()}'
  ),
  keys(
    'a change goes on after its key was revoked',
    'return sql`exists (select 1 from ${apiKeys} where ${valid()})`',
    'return sql`true`'
  ),
  keys(
    'a role that has become the owner’s is one of a key',
    'row.role === null || row.role === owner',
    'row.role === null'
  ),
  keyTexts('any checksum is right', 'KEY.test(text) && hasChecksum(text)', 'KEY.test(text)'),
  keysCreated(
    'a key creates keys',
    "if (caller.type === 'service_account') return refused({ code: 'insufficient_role' })",
    ''
  ),
  keysRotated(
    'a rotation gives a key to a caller who has less',
    'if (!mayGive(access.value.roles, access.value.permissions, role)) {',
    'if (false as boolean) {'
  ),
  keysRotated(
    'three keys are valid at once',
    'eq(apiKeys.replacedById, id)',
    "eq(apiKeys.replacedById, '')"
  ),
  authorization(
    'a key, or another machine, has its role in every organization',
    'return caller.organizationId === organization?.id ? caller.role : null',
    'return organization === null ? null : caller.role'
  ),
]
