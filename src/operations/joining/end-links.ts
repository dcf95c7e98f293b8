/**
 * Ends the links of a creator who may no longer invite, and those of a deleted organization, in the batch
 * of that change, after its events.
 *
 * @module
 */
import { inArray, lte, sql, type SQL } from 'drizzle-orm'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { inviteLinks } from '../../database/schema/joining-tables.ts'
import { mayInvite } from '../../engine/access/roles.ts'
import { JOINING_ACTIONS } from '../../engine/audit/part-actions.ts'
import { libraryEvent, type EventDraft } from '../../engine/audit/event.ts'
import { recordEventsWhere, type EventContext } from '../../engine/audit/record-events.ts'
import { trailOf, type ChangeContext, type Follower } from '../../engine/changes/change-context.ts'
import { alike, isOneOf, type LeftAlike } from '../../engine/model/rights-left.ts'

/** The links that end: those of creators, or all; without those of the roles that they may still invite to. */
interface Ended {
  readonly creatorIds: readonly string[] | null
  readonly kept: readonly string[]
}

/** Returns the statements that end links, for each event by which their creator loses the right to invite. */
export const linkFollower: Follower = (context, eventContext, events, _dueIn, losses) => [
  ...events.flatMap((event) => {
    const ended = endedBy(event)
    return ended ? endLinks(context, eventContext, event.organizationId, ended) : []
  }),
  ...alike(losses).flatMap((loss) => {
    const ended = lostBy(loss)
    return ended ? endLinks(context, eventContext, loss.organizationId, ended) : []
  }),
]

function lostBy({ userIds, rights, roles }: LeftAlike): Ended | null {
  const kept = roles.all.filter((to) => mayInvite(roles, rights, to))
  const all = roles.all.every((to) => to === roles.owner || kept.includes(to))
  return all ? null : { creatorIds: userIds, kept }
}

function endedBy({ action, target }: EventDraft): Ended | null {
  switch (action) {
    case 'organization.delete':
      return { creatorIds: null, kept: [] }
    case 'organization.member_remove':
    case 'organization.member_suspend':
      return { creatorIds: [target?.id ?? ''], kept: [] }
    default:
      return null
  }
}

function endLinks(
  context: ChangeContext,
  eventContext: EventContext,
  organizationId: string,
  { creatorIds, kept }: Ended
): readonly Statement[] {
  const { now, effectiveUserId } = eventContext
  const endingOf = (creators: SQL) => sql`organization_id = ${organizationId} and revoked_at is null
    ${creators}
    ${kept.length === 0 ? sql`` : sql`and role not in (select value from json_each(${JSON.stringify(kept)}))`}`
  return [
    // The event of a deletion is about its links too.
    ...(creatorIds === null
      ? []
      : recordEnd(context, eventContext, organizationId, creatorIds, (creatorId) =>
          endingOf(sql`and created_by_id = ${creatorId}`)
        )),
    context.db
      .update(inviteLinks)
      .set({ revokedAt: now, revokedById: effectiveUserId, updatedAt: now })
      .where(endingOf(creatorIds === null ? sql`` : sql`and created_by_id ${isOneOf(creatorIds)}`)),
  ]
}

// Records one event for all open links of a creator.
function recordEnd(
  context: ChangeContext,
  eventContext: EventContext,
  organizationId: string,
  creatorIds: readonly string[],
  endingOf: (creatorId: SQL | string | null) => SQL
): readonly Statement[] {
  const events = creatorIds.map((creatorId) =>
    libraryEvent(JOINING_ACTIONS, organizationId, 'organization.invite_link.ended', creatorId, {
      user_id: creatorId,
      reason: 'inviter_lost_role',
    })
  )
  const isOpen = (creatorId: SQL | string | null) => sql`exists (select 1 from seatgate_invite_links
    where ${endingOf(creatorId)}
    and uses_left > 0 and expires_at > ${eventContext.now.getTime()})`
  return recordEventsWhere(trailOf(context), eventContext, events, (_, creatorId) =>
    isOpen(creatorId)
  )
}

const LINKS_PER_SWEEP = 1000
const KEPT_DAYS = 90
const DAY_MS = 24 * 60 * 60 * 1000

/** Builds the statement that deletes links whose expiry was 90 days ago, the oldest first. */
export function purgeLinks({ db }: DatabaseContext, now: Date): Statement {
  const past = db
    .select({ id: inviteLinks.id })
    .from(inviteLinks)
    .where(lte(inviteLinks.expiresAt, new Date(now.getTime() - KEPT_DAYS * DAY_MS)))
    .orderBy(inviteLinks.expiresAt)
    .limit(LINKS_PER_SWEEP)
  return db.delete(inviteLinks).where(inArray(inviteLinks.id, past))
}
