/**
 * The page of the tests of `seatgate/react`: a section for each component that it is told to show, with the
 * state of its hook.
 *
 * @module
 */
import { createElement, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient } from '../../src/client/index.ts'
import {
  useInvitations,
  useMembers,
  useOrganization,
  useSeats,
  type Listed,
  type Loaded,
} from '../../src/react/index.ts'

/** A component of the page. */
export interface Shown {
  /** The name of its section. */
  readonly name: string
  readonly hook: 'organization' | 'seats' | 'members' | 'invitations'
  readonly org: string
  readonly limit?: number
}

declare global {
  /** Shows these components, and unmounts the others. */
  // eslint-disable-next-line no-var
  var show: (components: readonly Shown[], options?: { readonly strict: boolean }) => void
}

const client = createClient()

type State = Loaded<unknown, { readonly code: string }>

function Section({ name, state, children }: { name: string; state: State; children?: ReactNode }) {
  const { status, isFetching, data, error, refetch } = state
  return createElement(
    'section',
    { 'aria-label': name },
    createElement('output', null, JSON.stringify({ status, isFetching, data, code: error?.code })),
    createElement('button', { onClick: refetch }, 'Refetch'),
    children
  )
}

function OrganizationSection({ name, org }: Shown) {
  return createElement(Section, { name, state: useOrganization(client, org) })
}

function SeatsSection({ name, org }: Shown) {
  return createElement(Section, { name, state: useSeats(client, org) })
}

function ListSection({
  name,
  state,
}: {
  name: string
  state: Listed<unknown, { readonly code: string }>
}) {
  const more = state.hasMore && createElement('button', { onClick: state.loadMore }, 'More')
  return createElement(Section, { name, state }, more)
}

const limited = ({ limit }: Shown) => (limit === undefined ? {} : { limit })

function MembersSection(shown: Shown) {
  const state = useMembers(client, shown.org, limited(shown))
  return createElement(ListSection, { name: shown.name, state })
}

function InvitationsSection(shown: Shown) {
  const state = useInvitations(client, shown.org, limited(shown))
  return createElement(ListSection, { name: shown.name, state })
}

const SECTIONS = {
  organization: OrganizationSection,
  seats: SeatsSection,
  members: MembersSection,
  invitations: InvitationsSection,
}

const root = createRoot(document.body.appendChild(document.createElement('main')))

globalThis.show = (components, { strict } = { strict: false }) => {
  const sections = components.map((shown) =>
    createElement(SECTIONS[shown.hook], { key: shown.name, ...shown })
  )
  root.render(strict ? createElement(StrictMode, null, sections) : sections)
}
