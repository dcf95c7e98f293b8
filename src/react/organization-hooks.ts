import { useCallback, useSyncExternalStore } from 'react'
import type { Answer, Entries, RefusalOn, ValueOf } from '../client/index.ts'
import type { SeatgateRouter } from '../hono/router.ts'
import { resourceOf, type Resource, type Snapshot } from './resource.ts'

/** A client as the hooks use it: `createClient` with any application that has the routes. */
export interface Reader {
  get(path: string, input?: object, options?: object): Promise<Answer<unknown, unknown>>
}

/**
 * The state of a read. `loading`: there is no data yet. `ready`: `data`. `refused`: `error`, a refusal or a
 * failure, and the `data` of an earlier read or null. `isFetching` is true during a repeated read.
 */
export type QueryState<Data, Problem> =
  | {
      readonly status: 'loading'
      readonly data: null
      readonly error: null
      readonly isFetching: true
    }
  | {
      readonly status: 'ready'
      readonly data: Data
      readonly error: null
      readonly isFetching: boolean
    }
  | {
      readonly status: 'refused'
      readonly data: Data | null
      readonly error: Problem
      readonly isFetching: boolean
    }

/** The result of a hook: the state of its read, and `refetch` to read again. */
export type Loaded<Data, Problem> = QueryState<Data, Problem> & {
  readonly refetch: () => Promise<void>
}

/** The result of a hook of a list: the entries of the pages read so far, and `loadMore` for the next page. */
export type Listed<Entry, Problem> = Loaded<readonly Entry[], Problem> & {
  readonly hasMore: boolean
  readonly loadMore: () => Promise<void>
}

/** Options of a hook of a list. */
export interface ListOptions {
  /** The entries of a page, 1 to 200. Default 50. */
  readonly limit?: number
}

type Routes = SeatgateRouter
type Failing<Path extends string> = Extract<
  Answer<never, RefusalOn<Routes, 'get', Path>>,
  { readonly ok: false }
>['error']
type Of<Path extends string> = Loaded<ValueOf<Routes, 'get', Path>, Failing<Path>>
type ListOf<Path extends string> = Listed<
  Entries<Routes, Path> extends readonly (infer Entry)[] ? Entry : never,
  Failing<Path>
>

const ORGANIZATION = '/organizations/:org'
const SEATS = '/organizations/:org/seats'
const MEMBERS = '/organizations/:org/members'
const INVITATIONS = '/organizations/:org/invitations'

/**
 * Reads an organization, by its id or slug. Components that name the same one share a read.
 *
 * @example
 * ```tsx
 * const organization = useOrganization(client, 'acme')
 * if (organization.status === 'ready') return <h1>{organization.data.name}</h1>
 * ```
 */
export function useOrganization(client: Reader, organization: string): Of<typeof ORGANIZATION> {
  return useOne(client, ORGANIZATION, organization) as Of<typeof ORGANIZATION>
}

/**
 * Reads the limit of an organization's seats and how many are taken.
 *
 * @example
 * ```ts
 * const seats = useSeats(client, 'acme')
 * if (seats.status === 'ready') console.log(seats.data.available)
 * ```
 */
export function useSeats(client: Reader, organization: string): Of<typeof SEATS> {
  return useOne(client, SEATS, organization) as Of<typeof SEATS>
}

/**
 * Reads the members of an organization, page by page.
 *
 * @example
 * ```tsx
 * const members = useMembers(client, 'acme', { limit: 20 })
 * return (
 *   <>
 *     {members.data?.map((member) => <Row key={member.id} member={member} />)}
 *     {members.hasMore && <button onClick={members.loadMore}>More</button>}
 *   </>
 * )
 * ```
 */
export function useMembers(
  client: Reader,
  organization: string,
  options: ListOptions = {}
): ListOf<typeof MEMBERS> {
  return useList(client, MEMBERS, organization, options) as ListOf<typeof MEMBERS>
}

/**
 * Reads the pending invitations of an organization, page by page.
 *
 * @example
 * ```ts
 * const invitations = useInvitations(client, 'acme', { limit: 20 })
 * ```
 */
export function useInvitations(
  client: Reader,
  organization: string,
  options: ListOptions = {}
): ListOf<typeof INVITATIONS> {
  return useList(client, INVITATIONS, organization, options) as ListOf<typeof INVITATIONS>
}

function useOne(client: Reader, path: string, org: string): object {
  const { state, resource } = useResource(client, path, org, undefined)
  const { data, ...rest } = state
  return { ...rest, data: data === null ? null : data[0], refetch: resource.refetch }
}

function useList(client: Reader, path: string, org: string, { limit }: ListOptions): object {
  const { state, resource } = useResource(client, path, org, limit ?? 50)
  const { data, cursor, ...rest } = state
  const entries = data === null ? null : entriesOf(data)
  const { refetch, loadMore } = resource
  return { ...rest, data: entries, hasMore: cursor !== null, refetch, loadMore }
}

// One list for one state, so that a component can compare it.
const known = new WeakMap<readonly unknown[], readonly unknown[]>()
function entriesOf(pages: readonly unknown[]): readonly unknown[] {
  const entries = known.get(pages) ?? pages.flatMap((page) => (page as { data: unknown[] }).data)
  known.set(pages, entries)
  return entries
}

function useResource(client: Reader, path: string, org: string, limit: number | undefined) {
  const resource: Resource = resourceOf(client, path, org, limit)
  const subscribe = useCallback((listener: () => void) => resource.subscribe(listener), [resource])
  const read = (): Snapshot => resource.snapshot()
  return { state: useSyncExternalStore(subscribe, read, read), resource }
}
