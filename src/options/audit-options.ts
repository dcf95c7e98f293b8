import { OWN_PREFIXES, type EventRules } from '../engine/audit/event-rules.ts'
import type { Part } from '../engine/changes/part.ts'
import type { RecordedData } from '../proof/personal.ts'
import { ANY, groupOf, isList, part, wholeNumber, type Rules } from './option-group.ts'

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

const LARGEST_METADATA = 8192
const SHORTEST_SECRET = 32

const RULES: Rules<AuditOptions> = {
  forwarding: part('forwarding'),
  log: part('auditLog'),
  retention: part('retention', '[ … ]'),
  cursorSecret: [
    `be a text of at least ${SHORTEST_SECRET} characters`,
    (value) => value === null || (typeof value === 'string' && value.length >= SHORTEST_SECRET),
  ],
  recordIpAddress: ANY,
  recordUserAgent: ANY,
  reservedPrefixes: [
    'be beginnings of actions that end in a dot',
    (value) => isList(value, (prefix) => /^[a-z][a-z0-9_.]*\.$/.test(String(prefix))),
  ],
  metadataBytes: wholeNumber(2, LARGEST_METADATA),
}

const RESERVED = 'auth. session. mfa. oauth. api. account. sigra.'

/** @throws {TypeError} if one of the options is invalid. */
export function checkedAudit(options: AuditOptions | undefined): AuditRules {
  const {
    cursorSecret = null,
    recordIpAddress: ipAddress = true,
    recordUserAgent: userAgent = true,
    reservedPrefixes = RESERVED.split(' '),
    metadataBytes = LARGEST_METADATA,
  } = groupOf('audit', options, RULES)
  return {
    cursorSecret,
    recordedData: { ipAddress, userAgent },
    eventRules: { reservedPrefixes: [...OWN_PREFIXES, ...reservedPrefixes], metadataBytes },
  }
}
