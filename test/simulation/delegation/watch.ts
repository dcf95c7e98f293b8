/**
 * Own roles, groups and operators who act as users: looked at after every batch that may have changed them,
 * by the events that the batch has written and by what was true before it.
 *
 * @module
 */
import type { Sometimes } from '../../../src/testing/index.ts'
import type { AccessHost } from '../access/host.ts'
import type { Connection } from '../sqlite.ts'
import { wrongActor } from './acting.ts'
import { newlyKnown, readKnown, type Event, type Known } from './known.ts'
import { follow, wrongStory } from './story.ts'
import { wrongNow } from './now.ts'
import { wrongRight } from './rights.ts'

export interface DelegationWatch {
  /** What is wrong with what has changed in an organization since it was last looked at. */
  changed(organizationId: string): readonly string[]
  /** D1 is another now: what is true there is taken as it is. */
  restored(organizationIds: readonly string[]): void
}

export function watchDelegation(
  connection: Connection,
  host: AccessHost,
  sometimes: Sometimes,
  time: () => number
): DelegationWatch {
  const known = new Map<string, Known>()
  /** Every key, token and impersonation that was ever there. */
  const ever = new Set<string>()

  const eventsSince = (id: string, sequence: number) =>
    connection
      .all(EVENTS, [id, sequence])
      .map((row) => ({ ...row, metadata: JSON.parse(String(row['metadata'])) }) as unknown as Event)

  const lookAt = (id: string, before: Known): Known => {
    const there = readKnown(connection, id, host, before, time())
    for (const each of [...there.accounts.keys(), ...there.delegation.impersonations.keys()]) {
      ever.add(each)
    }
    return there
  }

  return {
    changed(id) {
      const before = known.get(id) ?? newlyKnown()
      const events = eventsSince(id, before.sequence)
      const after = lookAt(id, promisedAnew(before, events))
      known.set(id, after)
      const wrong = events.flatMap((event) => [
        ...wrongActor(before, event, ever, sometimes),
        ...wrongRight(before, event, sometimes),
      ])
      noteEnds(events, sometimes)
      let story = before
      for (const event of events) story = follow(story, event, sometimes)
      after.sequence = events.at(-1)?.sequence ?? before.sequence
      return [
        ...wrong,
        ...wrongStory(story, after),
        ...wrongNow(after, host.delegation ?? null, time()),
      ]
    },
    restored(organizationIds) {
      known.clear()
      for (const id of organizationIds) {
        const there = lookAt(id, newlyKnown())
        there.sequence = eventsSince(id, 0).at(-1)?.sequence ?? 0
        known.set(id, there)
      }
    },
  }
}

/** Who sends an invitation again, or to another role, promises what the role has now. */
function promisedAnew(before: Known, events: readonly Event[]): Known {
  const promised = new Map(before.promised)
  for (const { action, target_id } of events) if (RENEWS.test(action)) promised.delete(target_id)
  return { ...before, promised }
}

const RENEWS = /^organization\.invitation\.(resent|role_change)$/

const ENDS =
  /^organization\.(invitation\.revoked inviter_lost_role|(invite_link|api_key)\.ended \w+)$/

/** Notes what has ended in one batch with the right of a role, or of a group. */
function noteEnds(events: readonly Event[], sometimes: Sometimes): void {
  const ends = events.some(({ action, metadata }) =>
    ENDS.test(`${action} ${String(metadata['reason'])}`)
  )
  const isOf = (kind: string) => events.some(({ action }) => action.startsWith(kind))
  if (!ends) return
  if (isOf('organization.role.')) {
    sometimes('an invitation, link or key ended with the permission of a role')
  }
  if (isOf('organization.group.')) {
    sometimes('an invitation, link or key ended with the right of a group')
  }
}

const EVENTS = `SELECT id, sequence, action, actor_type, actor_id, effective_user_id, target_id, metadata,
  request_id, cause_event_id, occurred_at
  FROM seatgate_audit_events WHERE organization_id = ? AND sequence > ? ORDER BY sequence`
