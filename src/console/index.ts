/**
 * The console: pages to administer organizations in a browser. `seatgate/console`
 *
 * @module
 */
export { seatgateConsole } from './console.ts'
export type { ConsoleEnv, ConsoleOptions } from './visit.ts'
export type { Language } from './texts/languages.ts'
