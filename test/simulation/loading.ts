/**
 * Loads the library's own sources as they are, in plain Node: the runtime's module has a stand-in, and
 * a mutation changes a source on its way in.
 *
 * @module
 */
import { registerHooks } from 'node:module'
import { mutations } from './mutations.ts'

// Drizzle asks over and over what something is, which takes a fifth of a history's time. Objects of one
// prototype are always the same, so that the answer can be kept.
const DRIZZLE_ENTITY = '/drizzle-orm/entity.js'
const REMEMBERING = `
const kinds = new WeakMap()
function is(value, type) {
  if (!value || typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  if (prototype === null) return isOne(value, type)
  let known = kinds.get(prototype)
  if (known === undefined) kinds.set(prototype, (known = new Map()))
  let answer = known.get(type)
  if (answer === undefined) known.set(type, (answer = isOne(value, type)))
  return answer
}
`

function remembering(source: unknown): string {
  const text = String(source)
  if (!text.includes('function is(value, type) {')) throw new Error('Drizzle has changed.')
  return text.replace('function is(value, type) {', 'function isOne(value, type) {') + REMEMBERING
}

const STAND_IN = new URL('./workers.ts', import.meta.url).href

export function prepareLoading(mutationName: string | null): void {
  const mutation = mutationName === null ? null : mutations[mutationName]
  if (mutation === undefined) throw new Error(`There is no mutation "${mutationName}".`)
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'cloudflare:workers') return { url: STAND_IN, shortCircuit: true }
      return next(specifier, context)
    },
    load(url, context, next) {
      const loaded = next(url, context)
      if (url.endsWith(DRIZZLE_ENTITY)) return { ...loaded, source: remembering(loaded.source) }
      if (mutation === null || !url.endsWith(mutation.file)) return loaded
      const text = String(loaded.source)
      const mutated = text.replace(mutation.from, () => mutation.to)
      if (mutated === text) throw new Error(`"${mutationName}" changes nothing in ${url}.`)
      return { ...loaded, source: mutated }
    },
  })
}
