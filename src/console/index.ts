/**
 * The console: pages to administer organizations in a browser. `seatgate/console`
 *
 * @module
 */
export { seatgateConsole } from './console.ts'
export { consoleWithAssets } from './console-with-assets.ts'
export type { FileSource } from './console-files.ts'
export { actingInConsole } from './acting.ts'
export {
  apiKeyPages,
  groupPages,
  impersonationPages,
  inviteLinkPages,
  rolePages,
  scimTokenPages,
} from './sections.ts'
export type { ConsoleEnv, ConsoleOptions, ConsoleSection } from './visit.ts'
export { german } from './texts/de.ts'
export type { Catalogue, Plural, TextKey } from './texts/en.ts'
