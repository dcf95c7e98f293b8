import { buildConsole } from '../scripts/console-assets.ts'

/** Bundles the scripts and styles of the console, which its source loads from `dist`. */
export default async function setup(): Promise<void> {
  await buildConsole()
}
