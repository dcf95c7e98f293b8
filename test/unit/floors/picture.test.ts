import { expect, it } from 'vitest'
import { FLOORS } from './floors.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const pages = import.meta.glob(['../../../CONTRIBUTING.md', '../../../docs/concepts.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The folders that the picture of a page shows on each floor, from the bottom up. */
function pictureIn(page: string): readonly (readonly string[])[] {
  const [, picture = ''] = /^```\n(\d [^]*?)^```$/m.exec(page) ?? []
  const floors = picture.split(/^(?=\d)/m).map((floor) => floor.match(/[\w/-]+(?:\/|\.ts)/g) ?? [])
  return floors.reverse()
}

it.each(Object.entries(pages))('%s shows every folder on its floor', (_path, page) => {
  const picture = pictureIn(page)
  expect(picture).toHaveLength(FLOORS.length)
  const missing = FLOORS.flatMap((folders, floor) => {
    const shown = (folder: string) =>
      [`${folder}/`, `${folder.split('/').at(-1)}/`, `${folder}.ts`].some((name) =>
        picture[floor]?.includes(name)
      )
    return folders.filter((folder) => !shown(folder))
  })
  expect(missing).toEqual([])
})
