/**
 * A sink for a service with a vocabulary of its own, called Threadline here: what it knows is mapped one
 * by one, and what it does not know is refused with a reason and never passed off as something else.
 *
 * @module
 */
// In an application: from 'seatgate'.
import type { AuditAction, AuditEvent, Delivery, Sink } from '../src/index.ts'

/** One entry, as Threadline stores it. */
export interface Entry {
  readonly thread: string
  readonly verb: string
  readonly result: 'done' | 'denied' | 'failed'
  readonly by: {
    readonly kind: 'person' | 'staff' | 'program' | 'host'
    readonly id: string | null
  }
  readonly about: string | null
  readonly at: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What is used of Threadline's client: it writes the entry of a key, over the one that is there. */
export interface ThreadlineClient {
  upsert(key: string, entry: Entry): Promise<'stored' | 'refused' | 'busy'>
}

// Maps, since a plain object knows `toString` too. An anonymous actor Threadline has no word for, and
// `system` is not that: the host is known.
const KINDS: ReadonlyMap<string, Entry['by']['kind']> = new Map([
  ['user', 'person'],
  ['operator', 'staff'],
  ['service_account', 'program'],
  ['webhook', 'program'],
  ['job', 'host'],
  ['system', 'host'],
])

const RESULTS = { success: 'done', failure: 'denied', error: 'failed' } as const

const VERBS: ReadonlyMap<string, string> = new Map<AuditAction, string>([
  ['organization.create', 'team.opened'],
  ['organization.delete', 'team.closed'],
  ['organization.member_add', 'team.joined'],
  ['organization.member_remove', 'team.left'],
  ['organization.member_role_change', 'team.role_changed'],
  ['organization.ownership_transfer', 'team.handed_over'],
  ['organization.invitation.declined', 'team.turned_down'],
])

const SCHEMA_VERSION = 1

/** Forwards to Threadline, under the event's id: a repeat changes nothing there. */
export function threadlineSink(client: ThreadlineClient): Sink {
  return {
    id: 'threadline',
    // Actions without a verb are passed over and make no dead letters.
    include: [...VERBS.keys()],
    async deliver(event) {
      const entry = entryOf(event)
      if ('outcome' in entry) return entry
      const answer = await client.upsert(event.id, entry)
      if (answer === 'stored') return { outcome: 'delivered' }
      if (answer === 'refused') return refused('entry')
      return { outcome: 'retry', reason: 'busy' }
    },
  }
}

function entryOf(event: AuditEvent): Entry | Delivery {
  const { organizationId, sequence, outcome, actorType, actorId, occurredAt, metadata } = event
  if (event.schemaVersion !== SCHEMA_VERSION) return refused(`version ${event.schemaVersion}`)
  const verb = VERBS.get(event.action)
  if (verb === undefined) return refused(`action ${event.action}`)
  const kind = KINDS.get(actorType)
  if (kind === undefined) return refused(`actor ${actorType}`)
  return {
    thread: organizationId,
    verb,
    result: RESULTS[outcome],
    by: { kind, id: actorId },
    about: event.targetId,
    at: occurredAt,
    fields: { ...metadata, sequence },
  }
}

function refused(what: string): Delivery {
  return { outcome: 'permanent', reason: `unknown: ${what}` }
}
