/**
 * How events of an older form are read: step by step, from their own version to the newest. What is
 * stored, sealed, exported and forwarded stays as it was written.
 *
 * @module
 */
import type { AuditEvent } from './event.ts'

/** Makes an event of one version into one of the next. */
export type Upcast = (event: AuditEvent) => Omit<AuditEvent, 'schemaVersion'>

// The first makes version 1 into 2, and so on. There is one version so far.
const UPCASTS: readonly Upcast[] = []

/** The version that events are written in. */
export const SCHEMA_VERSION = UPCASTS.length + 1

/** An event of a version that this program does not know: of a later one, probably. */
export class UnknownSchemaVersion extends Error {
  override readonly name = 'UnknownSchemaVersion'
  readonly version: number

  constructor(version: number) {
    super(`There is no version ${version} of audit events here.`)
    this.version = version
  }
}

/**
 * An event in its newest form.
 *
 * @throws {UnknownSchemaVersion} if it is of none that is known.
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
