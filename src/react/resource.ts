/**
 * The resources of the hooks, by client. A resource is read when the first component subscribes and dropped
 * when the last one has unsubscribed.
 *
 * @module
 */
import type { Answer } from '../client/index.ts'
import type { Reader } from './organization-hooks.ts'

/** The state of a resource. A list has a page for each read, another resource has one. */
export interface Snapshot {
  readonly status: 'loading' | 'ready' | 'refused'
  readonly data: readonly unknown[] | null
  readonly error: unknown
  readonly isFetching: boolean
  readonly cursor: string | null
}

/** A resource that components share. */
export interface Resource {
  subscribe(listener: () => void): () => void
  snapshot(): Snapshot
  readonly refetch: () => Promise<void>
  readonly loadMore: () => Promise<void>
}

const LOADING: Snapshot = {
  status: 'loading',
  data: null,
  error: null,
  isFetching: true,
  cursor: null,
}

const resources = new WeakMap<Reader, Map<string, Resource>>()

/** Returns the resource of a path; `limit` is set for a list. */
export function resourceOf(
  client: Reader,
  path: string,
  org: string,
  limit: number | undefined
): Resource {
  const ofClient = resources.get(client) ?? new Map<string, Resource>()
  resources.set(client, ofClient)
  const key = JSON.stringify([path, org, limit])
  const found = ofClient.get(key)
  if (found) return found
  const read = (cursor: string | null, signal: AbortSignal) => {
    const query = { limit, ...(cursor !== null && { cursor }) }
    return client.get(path, { param: { org }, query: limit === undefined ? {} : query }, { signal })
  }
  const made = resource(read, () => ofClient.delete(key))
  ofClient.set(key, made)
  return made
}

// Such as headers that the host could not make.
function failed(cause: unknown): Answer<never, never> {
  return { ok: false, error: { code: 'network_failure', cause, idempotencyKey: null } }
}

type Read = (cursor: string | null, signal: AbortSignal) => Promise<Answer<unknown, unknown>>

function resource(read: Read, drop: () => void): Resource {
  const listeners = new Set<() => void>()
  let state = LOADING
  let reading: AbortController | null = null

  function move(next: Partial<Snapshot>) {
    state = { ...state, ...next }
    for (const listener of listeners) listener()
  }

  // A later read replaces an earlier one, whose answer is ignored.
  async function load(pages: readonly unknown[], from: string | null, count: number) {
    reading?.abort()
    const mine = new AbortController()
    reading = mine
    if (state !== LOADING) move({ isFetching: true })
    let data = pages
    let cursor = from
    for (let left = count; left > 0; left--) {
      const answer = await read(cursor, mine.signal).catch(failed)
      if (mine.signal.aborted) return
      if (!answer.ok) return move({ status: 'refused', error: answer.error, isFetching: false })
      data = [...data, answer.value]
      cursor = (answer.value as { nextCursor?: string | null }).nextCursor ?? null
      if (cursor === null) break
    }
    move({ status: 'ready', data, error: null, isFetching: false, cursor })
  }

  const refetch = () => load([], null, Math.max(1, state.data?.length ?? 1))

  return {
    refetch,
    loadMore: async () => {
      if (state.data === null || state.cursor === null || state.isFetching) return
      await load(state.data, state.cursor, 1)
    },
    snapshot: () => state,
    subscribe(listener) {
      listeners.add(listener)
      if (reading === null) void refetch()
      return () => {
        listeners.delete(listener)
        // Strict mode subscribes again at once.
        queueMicrotask(() => {
          if (listeners.size > 0) return
          reading?.abort()
          reading = null
          state = LOADING
          drop()
        })
      }
    },
  }
}
