import { useEffect, useState } from 'hono/jsx/dom'
import { filled, type IslandTexts } from './island-texts.ts'

interface Usage {
  readonly limit: number | 'unlimited' | 'unknown'
  readonly held: number
  readonly reserved: number
  readonly available: number | 'unlimited' | 'unknown'
  readonly overLimit: boolean
}

interface Data {
  readonly texts: IslandTexts
  readonly url: string
  readonly usage: Usage
}

const EVERY_MS = 5000

/** Shows the seats in use, and asks for them again while the page is visible. */
export function SeatMeter({ texts, url, usage: first }: Data) {
  const [usage, setUsage] = useState(first)
  useEffect(() => {
    let tag: string | null = null
    const ask = async () => {
      if (document.hidden) return
      const headers: HeadersInit = tag === null ? {} : { 'if-none-match': tag }
      const response = await fetch(url, { headers, redirect: 'error' }).catch(() => null)
      if (response?.status !== 200) return
      tag = response.headers.get('etag')
      setUsage((await response.json()) as Usage)
    }
    const timer = setInterval(() => void ask(), EVERY_MS)
    return () => clearInterval(timer)
  }, [url])
  const { limit, held, reserved } = usage
  const used = held + reserved
  return (
    <>
      <p class="figure">
        {limit === 'unknown'
          ? texts['seatsUnknown']
          : filled(texts[limit === 'unlimited' ? 'seatsUnlimited' : 'seatsOf'], {
              used,
              count: used,
              limit,
            })}
        {reserved > 0 && <small> {filled(texts['seatsReservedOf'], { count: reserved })}</small>}
      </p>
      {typeof limit === 'number' && (
        <meter
          min={0}
          max={Math.max(limit, used, 1)}
          high={Math.max(limit, 1)}
          value={used}
          aria-label={texts['seatsMeter']}
        />
      )}
    </>
  )
}
