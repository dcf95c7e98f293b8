/**
 * Writes `docs/performance.md` and its plots from the numbers of the newest run.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pageOf } from './page.ts'
import { BEFORE, LATEST, readResults } from './results.ts'
import { root } from './stage.ts'

/** Writes the page and its plots. */
export function writePage(): void {
  const { markdown, plots } = pageOf(readResults(BEFORE), readResults(LATEST))
  writeFileSync(join(root, 'docs/performance.md'), markdown)
  mkdirSync(join(root, 'docs/performance'), { recursive: true })
  for (const [name, svg] of Object.entries(plots)) {
    writeFileSync(join(root, 'docs/performance', name), svg)
  }
}
