/**
 * What those who come by links, keys and tokens have to choose from.
 *
 * @module
 */
import type { Result } from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import type { AccessFacts } from '../access/facts.ts'
import type { AccessHost, AccessLibrary } from '../access/host.ts'
import type { DelegationLibrary } from '../delegation/host.ts'
import type { Deed, Occasion } from './deed.ts'

export interface Ways {
  readonly host: AccessHost
  readonly facts: AccessFacts
  /** The secrets that were told, by the id of their link, key or token. */
  readonly secrets: Map<string, string>
}

export type AccessMaker = (occasion: Occasion, ways: Ways) => Omit<Deed, 'name'> | null

/** By name, each with how often it is chosen, compared with all others. */
export type AccessDeeds = Readonly<Record<string, readonly [weight: number, AccessMaker]>>

/** The library as a host with every part has it. */
export const whole = (library: FullSeatgate) => library as AccessLibrary

/** The library as a host has it whose organizations make roles and groups. */
export const delegated = (library: FullSeatgate) => library as DelegationLibrary

/** One that can be used, or at times any that ever was. */
export function liveOr(
  { random }: Occasion,
  live: readonly (readonly [string, unknown])[],
  all: ReadonlyMap<string, unknown>
): string | undefined {
  const ids = random.chance(0.9) ? live.map(([id]) => id) : [...all.keys()]
  return random.pick(ids)
}

/** Keeps a secret, which an answer has once: what is answered again is without it. */
export function keeping<T extends { readonly id: string }, Code extends never>(
  { secrets }: Ways,
  name: keyof T & string,
  answer: Result<T> | Result<T, Code>
): Result<T> {
  if (!answer.ok) return answer as Result<T>
  const { value } = answer
  const secret = value[name]
  if (typeof secret === 'string') secrets.set(value.id, secret)
  return { ok: true, value: { ...value, [name]: null } }
}
