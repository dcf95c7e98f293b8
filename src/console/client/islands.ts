// One script for the pages that have islands, which the browser keeps. An island fills its element, in which
// the page has put what is shown without scripts.
import { bulkInvitations } from './bulk-invitations.ts'
import { seatMeter } from './seat-meter.ts'
import { verification } from './verification.ts'

const ISLANDS: Readonly<Record<string, (root: HTMLElement, data: never) => void>> = {
  'bulk-invitations': bulkInvitations,
  'seat-meter': seatMeter,
  verification,
}

for (const root of document.querySelectorAll<HTMLElement>('[data-island]')) {
  const { island = '', props = '{}' } = root.dataset
  ISLANDS[island]?.(root, JSON.parse(props) as never)
}
