/**
 * Deletes from `test/unit/floors/known-arrows.ts` what is gone: the list may only shrink.
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { arrowsAgainst, written } from '../test/unit/floors/floors.ts'
import { KNOWN_ARROWS } from '../test/unit/floors/known-arrows.ts'

const src = new URL('../src/', import.meta.url)
const list = new URL('../test/unit/floors/known-arrows.ts', import.meta.url)

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts')
)
const sources = Object.fromEntries(
  files.map((file) => [file.replaceAll('\\', '/'), readFileSync(new URL(file, src), 'utf8')])
)
const arrows = new Set(arrowsAgainst(sources).map(written))

const lines = readFileSync(list, 'utf8').split('\n')
const gone = new Set(KNOWN_ARROWS.filter((arrow) => !arrows.has(arrow)).map(listed))
writeFileSync(list, lines.filter((line) => !gone.has(line)).join('\n'))
console.log(`${gone.size} deleted, ${arrows.size} left: ${fileURLToPath(list)}`)

function listed(arrow: string): string {
  return `  '${arrow}',`
}
