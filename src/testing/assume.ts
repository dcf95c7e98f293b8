import type { EventState } from './state.ts'

/** The holder of a seat that is reserved for an invitation. */
export const PROMISED = 'an invitation'

/** A map that remembers every key that was ever set, deleted ones included. */
export class Told extends Map<string, string> {
  readonly ever = new Set<string>()

  override set(key: string, value: string): this {
    // The constructor of Map calls `set` before the field is initialized.
    this.ever?.add(key)
    return super.set(key, value)
  }
}

/** The state as far as the events record it; behind a horizon most of it is unknown. */
export interface Story {
  readonly roles: Told
  readonly standing: Told
  readonly seats: Told
  readonly invitations: Told
  readonly organization: { name?: unknown; slug?: unknown; mfa?: unknown; deleted?: unknown }
}

/**
 * Assumes the state that an event presupposes, if no earlier event recorded it: the state at the horizon
 * cannot be checked. State that was recorded before is checked elsewhere.
 */
export function believe(
  story: Story,
  { action, target_id, metadata }: EventState,
  ownerRole: string
): void {
  const { roles, standing, seats, invitations, organization } = story
  const first = (told: Told, id: string, value: string) => {
    if (!told.ever.has(id)) told.set(id, value)
  }
  switch (action) {
    case 'organization.member_role_change':
      first(roles, target_id, String(metadata['old_role']))
      break
    case 'organization.ownership_transfer': {
      const from = String(metadata['from_user_id'])
      first(roles, from, ownerRole)
      for (const userId of [from, target_id]) first(standing, userId, 'active')
      break
    }
    case 'organization.member_suspend':
      first(standing, target_id, 'active')
      break
    case 'organization.member_restore':
      first(standing, target_id, `suspended by ${String(metadata['by'])}`)
      break
    case 'organization.member_remove':
      first(roles, target_id, 'some role')
      first(standing, target_id, 'active')
      break
    case 'organization.mfa_policy_change':
      organization.mfa ??= metadata['old_value']
      break
    case 'organization.delete':
    case 'organization.restore':
      organization.deleted ??= action === 'organization.restore'
      break
    case 'organization.invitation.accepted':
      first(invitations, target_id, `unfinished ${String(metadata['role'])}`)
      break
    case 'seat.released':
      first(seats, target_id, 'user_id' in metadata ? String(metadata['user_id']) : PROMISED)
      break
    default:
  }
}

/** How often a run of tests reached each state. */
export type Reached = Readonly<Record<string, number>>

/** Counts rare states, to show that tests really get there. */
export interface Sometimes {
  /** Records that a state was reached. A name that was not announced is a mistake. */
  (name: string): void
  /** Returns how often each state was reached, including those that never were. */
  counts(): Reached
}

/**
 * Creates a registry of states that a run of tests must reach at some time: tests prove little about a
 * race that did not occur.
 *
 * @example
 * ```ts
 * const sometimes = createSometimes(['a late write met a fence'])
 * if (fenced) sometimes('a late write met a fence')
 * expect(neverReached(sometimes.counts())).toEqual([])
 * ```
 */
export function createSometimes(names: readonly string[]): Sometimes {
  const counts = new Map(names.map((name) => [name, 0]))
  const sometimes = (name: string) => {
    const count = counts.get(name)
    if (count === undefined) throw new Error(`"${name}" was not announced.`)
    counts.set(name, count + 1)
  }
  return Object.assign(sometimes, { counts: () => Object.fromEntries(counts) })
}

/** Adds up the counts of several runs. */
export function addReached(all: readonly Reached[]): Reached {
  const sum: Record<string, number> = {}
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

/** Returns the announced states that were never reached. */
export function neverReached(counts: Reached): readonly string[] {
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [name] : []))
}
