import type { KeyProduct } from '../museum/keys-cases.ts'

/**
 * API keys as they are written in an afternoon: a table of their own, with the member who created them for
 * the list alone. Every line is plausible, and the case finds the bug that products have shipped.
 */
export function openNaiveKeys(): KeyProduct {
  const members = new Set<string>()
  const keys = new Map<string, { readonly createdBy: string }>()
  let batches = 0
  return {
    async create() {
      const [creator, key] = [crypto.randomUUID(), crypto.randomUUID()]
      members.add(creator)
      keys.set(key, { createdBy: creator })
      return { key, creator }
    },
    async deprovision(member) {
      members.delete(member)
      batches += 1
    },
    works: async (key) => keys.has(key),
    batches: () => batches,
  }
}
