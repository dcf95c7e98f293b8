// One script for the pages that have islands: they share the runtime, and the browser keeps it.
import type { FC } from 'hono/jsx/dom'
import { render } from 'hono/jsx/dom'
import { BulkInvitations } from './bulk-invitations.tsx'
import { SeatMeter } from './seat-meter.tsx'
import { Verification } from './verification.tsx'

const ISLANDS: Readonly<Record<string, FC<never>>> = {
  'bulk-invitations': BulkInvitations,
  'seat-meter': SeatMeter,
  verification: Verification,
}

for (const root of document.querySelectorAll<HTMLElement>('[data-island]')) {
  const Island = ISLANDS[root.dataset['island'] ?? ''] as FC<object> | undefined
  if (Island === undefined) continue
  const props = JSON.parse(root.dataset['props'] ?? '{}') as object
  root.replaceChildren()
  render(<Island {...props} />, root)
}
