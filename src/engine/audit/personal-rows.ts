/**
 * The rows of the personal data of a request. Events of one user in one trail share a row, if their requests
 * have the same data and follow each other closely.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Attribution, Runtime } from '../../base/runtime.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import {
  personalDataOf,
  type Origin,
  type RecordedData,
  type SaltedData,
} from '../../proof/personal.ts'
import { personalUserColumn, personalUserOf, type EventDraft } from './event.ts'

/** The trail and the user of a row. */
interface Owner {
  readonly organizationId: string
  readonly userId: string
}

/** The personal data of a request, for the events of one user in the trail of one organization. */
export interface SaltedRow extends SaltedData, Owner {}

/** A {@link SaltedRow} with its digest, which the events contain. */
export interface PersonalRow extends SaltedRow {
  readonly digest: string
}

/** The key of a row that has the data of this request. */
export type KnownPersonal = Pick<PersonalRow, keyof Owner | 'digest'>

interface RequestContext extends Attribution {
  readonly origin?: Origin | undefined
  readonly known?: readonly KnownPersonal[] | undefined
}

/**
 * Returns the rows that a batch adds: the recorded data of a request for each organization and user of its
 * events that has no known row, each with its own salt.
 */
export function saltPersonalData(
  { newSecret, recordedData }: Pick<Runtime, 'newSecret'> & { readonly recordedData: RecordedData },
  request: RequestContext,
  drafts: readonly EventDraft[]
): readonly SaltedRow[] {
  const { origin, known = [] } = request
  const data = origin && personalDataOf(origin, recordedData)
  if (!data) return []
  const owners = new Map(drafts.map((draft) => keyed(ownerOf(request, draft))))
  for (const row of known) owners.delete(textOf(row))
  return [...owners.values()].map((owner) => {
    const salt = Array.from(newSecret(), (byte) => byte.toString(16).padStart(2, '0')).join('')
    return { ...owner, salt, ...data }
  })
}

/** Returns a function from events to the digests of their rows. */
export function digestsOf(
  request: RequestContext,
  personal: readonly PersonalRow[]
): (draft: EventDraft) => string | null {
  const rows = new Map([...(request.known ?? []), ...personal].map(keyed))
  return (draft) => rows.get(textOf(ownerOf(request, draft)))?.digest ?? null
}

const keyed = <T extends Owner>(owner: T): [string, T] => [textOf(owner), owner]

// No id of an organization has a space.
const textOf = ({ organizationId, userId }: Owner) => `${organizationId} ${userId}`

function ownerOf(
  { actor: by, effectiveUserId }: Attribution,
  { organizationId, actor = by }: EventDraft
): Owner {
  return { organizationId, userId: personalUserOf({ actor, effectiveUserId }) }
}

/** How many of the last events may share their row with a new one. */
const RECENT_EVENTS = 8

// Shorter than the time for which events are kept, so that a row is not purged before a new event has it.
const SHARED_FOR_MS = 60 * 60 * 1000

/**
 * Builds a scalar subquery of the rows with the data of a request that the last events of
 * {@link organizations} have: for {@link knownPersonal}. Null if the request has no data that are recorded.
 */
export function recentPersonal(
  { recordedData }: { readonly recordedData: RecordedData },
  origin: Origin | undefined
): SQL<string> | null {
  const data = origin && personalDataOf(origin, recordedData)
  if (!data) return null
  return sql<string>`(select json_group_array(json_array(user_id, digest, occurred_at))
    from (select ${personalUserColumn()} as owner, personal_digest, occurred_at
      from seatgate_audit_events where organization_id = ${organizations.id}
      order by sequence desc limit ${sql.raw(`${RECENT_EVENTS}`)})
    join seatgate_audit_personal on user_id = owner
      and organization_id = ${organizations.id} and digest = personal_digest
    where ip_address is ${data.ipAddress} and user_agent is ${data.userAgent})`
}

/** Returns the rows that {@link recentPersonal} found, unless they are too old to be shared. */
export function knownPersonal(
  found: string | null,
  organizationId: string | undefined,
  now: Date
): readonly KnownPersonal[] {
  if (found === null || organizationId === undefined) return []
  const rows = JSON.parse(found) as readonly [string, string, number][]
  return rows.flatMap(([userId, digest, occurredAt]) =>
    occurredAt > now.getTime() - SHARED_FOR_MS ? [{ organizationId, userId, digest }] : []
  )
}
