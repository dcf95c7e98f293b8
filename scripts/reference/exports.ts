import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'rolldown/utils'

/** One export: its name, its docstring and its declaration as the compiler emits it. */
export interface Exported {
  readonly name: string
  readonly kind: 'function' | 'class' | 'constant' | 'type'
  readonly docstring: string
  readonly declaration: string
}

interface Module {
  readonly path: string
  readonly text: string
  readonly body: readonly Node[]
  readonly comments: readonly {
    readonly type: string
    readonly start: number
    readonly end: number
  }[]
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly id?: { readonly name: string } | null
  readonly declaration?: Node | null
  readonly declarations?: readonly Node[]
  readonly source?: { readonly value: string } | null
  readonly specifiers?: readonly Specifier[]
  readonly exported?: { readonly name: string } | null
}

interface Specifier {
  readonly local: { readonly name: string }
  readonly exported?: { readonly name: string }
  readonly imported?: { readonly name: string }
}

const KINDS: Readonly<Record<string, Exported['kind']>> = {
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  VariableDeclaration: 'constant',
  TSInterfaceDeclaration: 'type',
  TSTypeAliasDeclaration: 'type',
}

/** What a declaration file exports, sorted by name. Re-exports are followed to their declarations. */
export function exportsOf(path: string): readonly Exported[] {
  const module = readModule(path)
  const found = module.body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration') return []
    if (node.declaration) return declared(module, node, node.declaration)
    return (node.specifiers ?? []).flatMap(({ local, exported = local }) => {
      const from = node.source ? [besides(path, node.source.value)] : []
      const [source = path] = from
      return find(source, local.name).map((each) => ({ ...each, name: exported.name }))
    })
  })
  return found.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

// The declarations of a name in a module: those of its own, or of the module that it imports it from.
function find(path: string, name: string): Exported[] {
  const module = readModule(path)
  for (const node of module.body) {
    const own = declared(module, node, node.declaration ?? node)
    const matching = own.filter((each) => each.name === name)
    if (matching.length > 0) return matching
    for (const { local, imported, exported } of node.specifiers ?? []) {
      const here = node.type === 'ImportDeclaration' ? local : exported
      if (here?.name !== name || !node.source?.value.startsWith('.')) continue
      return find(besides(path, node.source.value), (imported ?? local).name)
    }
  }
  throw new Error(`${path} has no declaration of ${name}.`)
}

function declared(module: Module, outer: Node, declaration: Node): Exported[] {
  const kind = KINDS[declaration.type]
  if (kind === undefined) return []
  const docstring = docstringBefore(module, outer.start)
  const text = plain(module.text.slice(declaration.start, declaration.end))
  const names =
    declaration.type === 'VariableDeclaration' ? (declaration.declarations ?? []) : [declaration]
  return names.flatMap(({ id }) =>
    id ? [{ name: id.name, kind, docstring, declaration: text }] : []
  )
}

function docstringBefore({ text, comments }: Module, start: number): string {
  const comment = comments.findLast(({ end }) => end <= start)
  if (!comment || text.slice(comment.end, start).trim() !== '') return ''
  const raw = text.slice(comment.start, comment.end)
  if (!raw.startsWith('/**')) return ''
  return raw
    .slice('/**'.length, -'*/'.length)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
}

// What says where a file stands, and what no caller can use, is no part of the reference.
function plain(declaration: string): string {
  return declaration
    .replace(/^declare /, '')
    .replaceAll(/import\("[^"]*"\)\./g, '')
    .replaceAll(/^\s*#private;\n/gm, '')
}

const modules = new Map<string, Module>()

function readModule(path: string): Module {
  const known = modules.get(path)
  if (known) return known
  const text = readFileSync(path, 'utf8')
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`)
  const module = { path, text, body: program.body as unknown as Node[], comments }
  modules.set(path, module)
  return module
}

function besides(path: string, specifier: string): string {
  return join(dirname(path), specifier.replace(/\.(js|ts)$/, '.d.ts'))
}
