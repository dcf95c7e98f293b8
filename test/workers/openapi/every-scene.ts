/**
 * Every situation in which requests are refused.
 *
 * @module
 */
export * from './special-refusals.ts'
export * from './provider-refusals.ts'
export * from './limit-refusals.ts'
export * from './link-refusals.ts'
export * from './joining-refusals.ts'
export * from './session-refusals.ts'
export * from './trail-refusals.ts'
export * from './further-refusals.ts'
export * from './pushes.ts'
export * from './role-refusals.ts'
