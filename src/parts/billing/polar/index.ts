/**
 * The adapter for Polar. It needs no package.
 *
 * @module
 */
export { polar } from './polar.ts'
export type { PolarOptions } from './polar.ts'
