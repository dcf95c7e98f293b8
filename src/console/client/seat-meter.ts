import { element } from './element.ts'
import { filled, type IslandTexts } from './island-texts.ts'

interface Usage {
  readonly limit: number | 'unlimited' | 'unknown'
  readonly held: number
  readonly reserved: number
}

interface Data {
  readonly texts: IslandTexts
  readonly url: string
  readonly usage: Usage
}

const EVERY_MS = 5000

/** Shows the seats in use, and asks for them again while the page is visible. */
export function seatMeter(root: HTMLElement, { texts, url, usage }: Data): void {
  let tag: string | null = null
  const ask = async () => {
    if (document.hidden) return
    const headers: HeadersInit = tag === null ? {} : { 'if-none-match': tag }
    const response = await fetch(url, { headers, redirect: 'error' }).catch(() => null)
    if (response?.status !== 200) return
    tag = response.headers.get('etag')
    show(root, texts, (await response.json()) as Usage)
  }
  show(root, texts, usage)
  setInterval(() => void ask(), EVERY_MS)
}

function show(root: HTMLElement, texts: IslandTexts, { limit, held, reserved }: Usage): void {
  const used = held + reserved
  const figure = element('p', { class: 'figure' }, figureOf(texts, limit, used))
  if (reserved > 0) {
    const text = filled(texts['seatsReservedOf'], { count: reserved })
    figure.append(' ', element('small', {}, text))
  }
  root.replaceChildren(figure)
  if (typeof limit !== 'number') return
  const [most, high] = [Math.max(limit, used, 1), Math.max(limit, 1)]
  const label = filled(texts['seatsMeter'])
  root.append(element('meter', { min: 0, max: most, high, value: used, 'aria-label': label }))
}

function figureOf(texts: IslandTexts, limit: Usage['limit'], used: number): string {
  if (limit === 'unknown') return filled(texts['seatsUnknown'])
  const text = texts[limit === 'unlimited' ? 'seatsUnlimited' : 'seatsOf']
  return filled(text, { used, count: used, limit })
}
