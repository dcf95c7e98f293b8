import { existsSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../scripts/run-wrangler.ts'

const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/*.md'], { cwd: root })

// These say what was so at a time, or what is generated from titles.
const WITHOUT_PATHS = ['CHANGELOG.md', 'docs/conformance.md']

/** The text of a page without its blocks of code. */
async function textOf(page: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8')
  return text.replaceAll(/^```[^]*?^```$/gm, '')
}

/** The anchors of a page's headings, as GitHub makes them. */
async function anchorsOf(page: string): Promise<string[]> {
  const headings = (await textOf(page)).matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-')
  )
}

test.each(PAGES)('%s links only to files and headings that exist', async (page) => {
  const targets = [...(await textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = '']) => target
  )
  const broken: string[] = []
  for (const target of targets.filter((each) => !/^[a-z]+:/.test(each))) {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(join(root, file))) broken.push(target)
    else if (anchor !== undefined && !(await anchorsOf(file)).includes(anchor)) broken.push(target)
  }
  expect(broken).toEqual([])
})

test.each(PAGES.filter((page) => !WITHOUT_PATHS.includes(page)))(
  '%s names only files that exist',
  async (page) => {
    const paths = (await textOf(page)).matchAll(
      /`((?:src|host|test|scripts|examples)\/[\w./-]+\.ts)`/g
    )
    const missing = [...paths]
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(root, path)))
    expect(missing).toEqual([])
  }
)
