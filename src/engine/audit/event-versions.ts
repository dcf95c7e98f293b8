import type { AuditEvent } from './event.ts'

/** Converts an event of one version into the next. */
export type Upcast = (event: AuditEvent) => Omit<AuditEvent, 'schemaVersion'>

// The first converts version 1 into 2, and so on, up to `EVENT_VERSION`. There is one version so far.
const UPCASTS: readonly Upcast[] = []

/** An event has a version that this code does not know, probably a later one. */
export class UnknownSchemaVersion extends Error {
  override readonly name = 'UnknownSchemaVersion'
  readonly version: number

  constructor(version: number) {
    super(`There is no version ${version} of audit events here.`)
    this.version = version
  }
}

/**
 * Returns an event in its newest form.
 *
 * @throws {UnknownSchemaVersion} if its version is unknown.
 */
export function upcast(event: AuditEvent, steps: readonly Upcast[] = UPCASTS): AuditEvent {
  const { schemaVersion: own } = event
  if (!Number.isInteger(own) || own < 1 || own > steps.length + 1) {
    throw new UnknownSchemaVersion(own)
  }
  return steps
    .slice(own - 1)
    .reduce<AuditEvent>(
      (older, step) => ({ ...step(older), schemaVersion: older.schemaVersion + 1 }),
      event
    )
}
