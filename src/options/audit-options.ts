import { namesOf } from '../base/names.ts'
import { OWN_PREFIXES, type EventRules } from '../engine/audit/event-rules.ts'
import type { Part } from '../engine/changes/part.ts'
import type { RecordedData } from '../proof/personal.ts'
import { groupOf, wrong } from './option-group.ts'

/** The audit trail: the parts that read it, and the recorded data. */
export interface AuditOptions {
  /** Forwards events to sinks: `forwarding({ … })`. Default null: events are only stored. */
  readonly forwarding?: Part<'forwarding'> | null
  /**
   * Seals events, so that each can be proven: `auditLog({ … })`. Default null: there is no log, and no
   * event can be proven.
   */
  readonly log?: Part<'log'> | null
  /** Deletes old events: `retention([ … ])`, which needs `log`. Default null: they are kept. */
  readonly retention?: Part<'retention'> | null
  /**
   * Signs the cursors of lists of events: at least 32 characters that cannot be guessed. Without it a
   * cursor can be forged, which grants no access.
   */
  readonly cursorSecret?: string
  /** Whether audit events record the IP address of a request, which can be erased. Default true. */
  readonly recordIpAddress?: boolean
  /** Whether audit events record the user agent, which can be erased. Default true. */
  readonly recordUserAgent?: boolean
  /** Prefixes that the host's own events must not have, in place of those of identity systems. */
  readonly reservedPrefixes?: readonly string[]
  /** The largest size of an event's metadata, as JSON, in bytes. Default and at most 8192. */
  readonly metadataBytes?: number
}

/** The checked options, without the parts. */
export interface AuditRules {
  readonly cursorSecret: string | null
  readonly recordedData: RecordedData
  readonly eventRules: EventRules
}

const NAMES = namesOf<AuditOptions>({
  forwarding: true,
  log: true,
  retention: true,
  cursorSecret: true,
  recordIpAddress: true,
  recordUserAgent: true,
  reservedPrefixes: true,
  metadataBytes: true,
})
const LARGEST_METADATA = 8192
const SHORTEST_SECRET = 32
const RESERVED = 'auth. session. mfa. oauth. api. account. sigra.'

/** @throws {TypeError} if one of the options is invalid. */
export function checkedAudit(options: AuditOptions | undefined): AuditRules {
  const audit = groupOf('audit', options, NAMES)
  const { cursorSecret = null, recordIpAddress = true, recordUserAgent = true } = audit
  if (
    cursorSecret !== null &&
    !(typeof cursorSecret === 'string' && cursorSecret.length >= SHORTEST_SECRET)
  ) {
    throw wrong(`audit.cursorSecret must be a text of at least ${SHORTEST_SECRET} characters.`)
  }
  return {
    cursorSecret,
    recordedData: { ipAddress: recordIpAddress, userAgent: recordUserAgent },
    eventRules: eventRulesOf(audit),
  }
}

function eventRulesOf({
  reservedPrefixes = RESERVED.split(' '),
  metadataBytes = LARGEST_METADATA,
}: AuditOptions): EventRules {
  if (!reservedPrefixes.every((prefix) => /^[a-z][a-z0-9_.]*\.$/.test(prefix))) {
    throw wrong('audit.reservedPrefixes must be beginnings of actions that end in a dot.')
  }
  if (!(Number.isInteger(metadataBytes) && metadataBytes >= 2)) {
    throw wrong('audit.metadataBytes must be a whole number from 2.')
  }
  if (metadataBytes > LARGEST_METADATA) {
    throw wrong(`audit.metadataBytes must be at most ${LARGEST_METADATA}.`)
  }
  return { reservedPrefixes: [...OWN_PREFIXES, ...reservedPrefixes], metadataBytes }
}
