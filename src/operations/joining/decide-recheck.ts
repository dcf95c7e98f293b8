import { eq } from 'drizzle-orm'
import { domainEvent } from '../../engine/audit/event.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { withHook } from '../../engine/model/after-hooks.ts'
import { organizationDomains, type DomainRow } from '../../database/schema.ts'
import type { DomainChange } from './change-domain.ts'
import { domainView } from '../../engine/model/domain.ts'
import type { JoiningContext } from './join-rules.ts'

const DAY_MS = 24 * 60 * 60_000

/** Decides on a domain after a lookup of its record. */
export function decideRecheck(
  seatgate: Pick<JoiningContext, 'db' | 'joining'>,
  row: DomainRow,
  found: boolean,
  now: Date
): DomainChange | null {
  const { mode, recordMissingSince: since } = row
  if (found) return since === null ? null : change(seatgate, row, now, recordFound(row))
  if (since === null) {
    const event = domainEvent(row, 'organization.domain.record_missing')
    return change(seatgate, row, now, { set: { recordMissingSince: now }, event })
  }
  const graceMs = seatgate.joining.recordGraceDays * DAY_MS
  if (mode !== 'auto' || now.getTime() - since.getTime() < graceMs) return null
  const modes = { old_mode: mode, new_mode: 'request', reason: 'record_missing' }
  const event = withHook(
    domainEvent(row, 'organization.domain.mode_change', modes),
    'afterDomainChange',
    { domain: domainView({ ...row, mode: 'request' }), oldMode: mode }
  )
  return change(seatgate, row, now, { set: { mode: 'request' }, event })
}

// The mode does not return to `auto`: a new owner of the domain could copy the record, which was public.
const recordFound = (row: DomainRow) => ({
  set: { recordMissingSince: null },
  event: domainEvent(row, 'organization.domain.record_found'),
})

function change(
  { db }: DatabaseContext,
  row: DomainRow,
  now: Date,
  {
    set,
    event,
  }: {
    readonly set: Partial<Pick<DomainRow, 'mode' | 'recordMissingSince'>>
    readonly event: DomainChange['event']
  }
): DomainChange {
  const write = db
    .update(organizationDomains)
    .set({ ...set, updatedAt: now })
    .where(eq(organizationDomains.id, row.id))
  return { value: { ...row, ...set, updatedAt: now }, write, event }
}
