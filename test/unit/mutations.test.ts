import { describe, expect, it } from 'vitest'
import { MUTATIONS } from '../mutations/list.ts'
import { mutations as simulated } from '../simulation/mutations.ts'

const sources = import.meta.glob(['../../src/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** A quote of the source, and how often it stands there. */
function quoted(file: string, from: string): [string, string, number] {
  const source = sources[`../../${file}`] ?? ''
  return [file, from, source.split(from).length - 1]
}

const isAmbiguous = ([, , count]: [string, string, number]) => count !== 1

describe('the list of mutations', () => {
  it('quotes text that is in its source file exactly once', () => {
    const quotes = MUTATIONS.map(({ file, from }) => quoted(`src/${file}`, from))
    expect(quotes.filter(isAmbiguous)).toEqual([])
  })

  it('names each mistake one time', () => {
    const mistakes = MUTATIONS.map(({ file, mistake }) => `${file}: ${mistake}`)
    expect(new Set(mistakes).size).toBe(mistakes.length)
  })

  it('changes the text that it quotes', () => {
    expect(MUTATIONS.filter(({ from, to }) => from === to)).toEqual([])
  })
})

describe('the mutations of the simulation', () => {
  const all = Object.values(simulated)

  it('quote text that is in its source file exactly once', () => {
    expect(all.length).toBeGreaterThan(20)
    expect(all.map(({ file, from }) => quoted(file, from)).filter(isAmbiguous)).toEqual([])
  })

  it('change the text that they quote', () => {
    expect(all.filter(({ from, to }) => from === to)).toEqual([])
  })
})
