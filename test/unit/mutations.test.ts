import { describe, expect, it } from 'vitest'
import { MUTATIONS } from '../mutations/list.ts'

const sources = import.meta.glob(['../../src/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const source = (file: string) => sources[`../../src/${file}`] ?? ''

describe('the list of mutations', () => {
  it('names what is in the source, once: the source has not moved on without it', () => {
    const lost = MUTATIONS.filter(({ file, from }) => source(file).split(from).length !== 2)
    expect(lost).toEqual([])
  })

  it('has every mistake once', () => {
    const mistakes = MUTATIONS.map(({ file, mistake }) => `${file}: ${mistake}`)
    expect(new Set(mistakes).size).toBe(mistakes.length)
  })
})
