/**
 * The floors of `src`, and the imports that break their rule: a file imports from its own folder and
 * from lower floors, types included. Two folders of one floor do not import each other.
 *
 * @module
 */

/** From the bottom up. A folder contains its subfolders. */
export const FLOORS: readonly (readonly string[])[] = [
  ['base', 'database', 'proof'],
  ['engine/access', 'engine/audit', 'engine/seats', 'tenancy'],
  ['engine/model', 'engine/delivery'],
  ['engine/changes'],
  [
    'operations/organizations',
    'operations/memberships',
    'operations/invitations',
    'operations/joining',
    'operations/sessions',
    'operations/seats',
    'operations/billing',
    'operations/audit',
    'parts/forwarding',
    'parts/log',
    'parts/retention',
    'parts/ledger',
    'parts/billing',
    'parts/limits',
    'parts/scim',
    'parts/keys',
    'parts/groups',
    'parts/impersonation',
    'parts/roles',
    'seatgate',
  ],
  ['parts/scim-groups'],
  ['hono', 'identity', 'worker', 'index'],
  ['client', 'console'],
  ['react'],
]

/** Imports nothing of the library, and no file of the library imports it. */
const APART = 'testing'

/** The files and the folder of `src` itself that form the folder `seatgate`. */
const SEATGATE = ['options', 'report-to-console', 'seatgate']

/** An import, between paths from `src`. */
export interface Arrow {
  readonly from: string
  readonly to: string
}

/** Returns the folder of a file, or null if it is on no floor. */
export function folderOf(file: string): string | null {
  if (file === 'index.ts') return 'index'
  const [top = ''] = file.split('/')
  if (SEATGATE.includes(top.replace(/\.ts$/, ''))) return 'seatgate'
  if (top === file) return null
  return [...FLOORS.flat(), APART].find((folder) => file.startsWith(`${folder}/`)) ?? null
}

/** Returns the files, by path from `src`, that a file imports, exports from, or loads. */
export function importsOf(file: string, text: string): string[] {
  const code = text.replace(/(^|\s)(?:\/\*[^]*?\*\/|\/\/.*$)/gm, '$1')
  const specifiers = code.matchAll(/\b(?:from|import)\s*\(?\s*(['"`])(\.[^'"`]*)\1/g)
  return [...specifiers].map(([, , specifier = '']) => resolve(file, specifier))
}

function resolve(file: string, specifier: string): string {
  const path = file.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') path.pop()
    else if (part !== '.') path.push(part)
  }
  return path.join('/')
}

/** Returns every import that breaks the rule, sorted. */
export function arrowsAgainst(sources: Readonly<Record<string, string>>): Arrow[] {
  const arrows = Object.entries(sources).flatMap(([file, text]) =>
    importsOf(file, text).map((imported) => ({ from: file, to: imported }))
  )
  const forbidden = arrows.filter(({ from, to }) => !isAllowed(folderOf(from), folderOf(to)))
  return [...new Map(forbidden.map((arrow) => [written(arrow), arrow])).values()].sort((a, b) =>
    written(a) < written(b) ? -1 : 1
  )
}

function isAllowed(from: string | null, to: string | null): boolean {
  if (from === null || to === null) return false
  if (from === to) return true
  if (from === APART || to === APART) return false
  return floorOf(from) > floorOf(to)
}

/** Returns the number of a folder's floor, from 0. */
function floorOf(folder: string): number {
  return FLOORS.findIndex((folders) => folders.includes(folder))
}

/** Returns the arrow as `known-arrows.ts` lists it. */
export function written({ from, to }: Arrow): string {
  return `${from} → ${to}`
}
