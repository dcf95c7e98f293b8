/**
 * Organizations whose trails are past a window, on a clock that stands still until it is set.
 *
 * @module
 */
import {
  auditCheckpoint,
  exportAuditEvents,
  forwardOrganization,
  generateLogKey,
  purgeAuditEvents,
  retentionStatus,
  sealOrganization,
  type PurgeInput,
  type RetentionWindow,
  type Sink,
} from '../../src/index.ts'
import type { FlatOptions } from './flat-options.ts'
import { openCheckpoint, type Checkpoint } from '../../src/proof/index.ts'
import { clocked, organizationWith, rename } from './sinks.ts'
import { testEnv } from './environment.ts'
import { unwrap } from './kit.ts'

export const keys = await generateLogKey('audit.example.com')
export const system = { type: 'system' } as const
export const DAY_SECONDS = 24 * 60 * 60
export const days = (count: number): readonly RetentionWindow[] => [{ days: count }]

/** A configuration with windows and a log, and what one does with it. */
export function retaining(
  retention: readonly RetentionWindow[],
  sinks: readonly Sink[] = [],
  options: Partial<FlatOptions> = {}
) {
  const made = clocked(sinks, { auditLogKey: keys.privateKey, retention, ...options })
  const { seatgate, later } = made
  const scopeOf = (organization: string) => ({ caller: system, organization })
  return {
    ...made,
    scopeOf,
    daysLater: (count: number) => later(count * DAY_SECONDS),
    /** Makes an organization of so many events, sealed. */
    async sealedOne(events = 5): Promise<string> {
      const organization = await organizationWith(seatgate, events - 2)
      await sealOrganization(seatgate, organization)
      return organization
    },
    /** Adds an event, forwards and seals. */
    async tended(organization: string, name: string): Promise<void> {
      await rename(seatgate, organization, name)
      await forwardOrganization(seatgate, organization)
      await sealOrganization(seatgate, organization)
    },
    purge: async (organization: string, input?: PurgeInput) =>
      unwrap(await purgeAuditEvents(seatgate, scopeOf(organization), input)),
    status: async (organization: string) =>
      unwrap(await retentionStatus(seatgate, scopeOf(organization))),
    async exported(organization: string, input: object = {}): Promise<string[]> {
      const file = unwrap(await exportAuditEvents(seatgate, scopeOf(organization), input))
      return (await new Response(file.body).text()).trimEnd().split('\n')
    },
    async checkpoint(organization: string): Promise<Checkpoint> {
      const { checkpoint } = unwrap(await auditCheckpoint(seatgate, scopeOf(organization)))
      return (await openCheckpoint(checkpoint!, [keys.publicKey]))!
    },
  }
}

/** Writes an event by SQL, as the library would not. */
export async function writeEvent(
  organization: string,
  sequence: number,
  { action = 'test.event', at = 7, version = 1, verb = 'INSERT' } = {}
): Promise<void> {
  await testEnv.DB.prepare(
    `${verb} INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, schema_version, occurred_at, inserted_at)
     VALUES (?1, ?2, ?1 || '-' || ?2, ?3, 'success', 'system', '{}', ?4, ?5, ?5)`
  )
    .bind(organization, sequence, action, version, at)
    .run()
}

/** The sequences of what is there. */
export async function sequencesOf(organization: string): Promise<number[]> {
  const { results } = await testEnv.DB.prepare(
    'SELECT sequence FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence'
  )
    .bind(organization)
    .all<{ sequence: number }>()
  return results.map(({ sequence }) => sequence)
}

export async function eventsOf(organization: string, action: string) {
  const { results } = await testEnv.DB.prepare(
    'SELECT sequence, metadata, actor_type FROM seatgate_audit_events WHERE organization_id = ? AND action = ?'
  )
    .bind(organization, action)
    .all<{ sequence: number; metadata: string; actor_type: string }>()
  return results.map(({ metadata, ...row }) => ({ ...row, metadata: JSON.parse(metadata) }))
}
