/**
 * Stands for the modules of the Workers runtime where tests in Node load the checkers of the
 * invariants, which need them only to read what the tests here read from disk.
 *
 * @module
 */
export const env = {}

export async function applyD1Migrations(): Promise<void> {}

export function runInDurableObject(): never {
  throw new Error('There is no Durable Object here.')
}
