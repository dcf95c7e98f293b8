/** Seeds are numbers of 32 bits. */
export const LAST_SEED = 2 ** 32 - 1

/**
 * Seeds from here on are of histories with links, API keys, SCIM, types of seats, permissions and limits
 * of users; the traces of those before stay.
 */
export const FIRST_WITH_ACCESS = 2_000_000_000

/** Seeds from here on are of histories in which organizations pay. */
export const FIRST_PAYING = 3_000_000_000

/**
 * Seeds from here on are of histories with every way in, organizations' own roles, groups, and operators who
 * act as users.
 */
export const FIRST_WITH_DELEGATION = 3_500_000_000

/** Numbers that one seed decides (xoshiro128**): the same seed, the same numbers, on every machine. */
export interface Random {
  /** From 0 up to 1. */
  (): number
  /** A whole number from 0 below `below`. */
  below(below: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** One of them; undefined if there is none. */
  pick<T>(choices: readonly T[]): T | undefined
  /** From `least` to `most`, each order of magnitude as likely as the next. */
  between(least: number, most: number): number
  /** A source of its own, which takes nothing more from this one. */
  fork(): Random
  /** From here on these are the numbers of that seed. */
  reseed(seed: number): void
}

export function createRandom(seed: number): Random {
  let [a, b, c, d] = stateOf(seed)
  const next = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  const random = () => next() / 2 ** 32
  const below = (limit: number) => Math.floor(random() * limit)
  return Object.assign(random, {
    below,
    chance: (probability: number) => probability > 0 && random() < probability,
    pick: <T>(choices: readonly T[]) => choices[below(choices.length)],
    between: (least: number, most: number) => least * (most / least) ** random(),
    fork: () => createRandom(next()),
    reseed(other: number) {
      ;[a, b, c, d] = stateOf(other)
    },
  })
}

function stateOf(seed: number): [number, number, number, number] {
  return [mix(seed), mix(seed ^ 0x9e3779b9), mix(~seed), mix(seed + 0x85ebca6b)]
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) | 1
}
