import { describe, expect, it } from 'vitest'
import { DayChart, SeatChart } from '../../../src/console/charts.tsx'

const numbersIn = (text: string, attribute: string) =>
  [...text.matchAll(new RegExp(` ${attribute}="([\\d.]+)"`, 'g'))].map(([, value]) => Number(value))

describe('the chart of events per day', () => {
  const drawn = (...counts: number[]) => {
    const days = counts.map((count, index) => ({ day: `Day ${index + 1}`, count }))
    return String(DayChart({ days, label: 'Events a day' }))
  }

  it('has a bar for each day, as tall as its share of the most', () => {
    const chart = drawn(10, 5, 20)
    const bars = chart.match(/<rect.*?<\/rect>/g) ?? []
    expect(bars.map((bar) => numbersIn(bar, 'height')[0])).toEqual([30, 15, 60])
    expect(bars.map((bar) => /<title>(.*)<\/title>/.exec(bar)?.[1])).toEqual([
      'Day 1: 10',
      'Day 2: 5',
      'Day 3: 20',
    ])
    expect(chart).toContain('role="img" aria-label="Events a day"')
  })

  it('shows a day of few events beside a day of many, within its width', () => {
    const chart = drawn(...Array.from({ length: 100 }, (_, index) => (index === 0 ? 1 : 9000)))
    const bars = chart.match(/<rect.*?<\/rect>/g) ?? []
    expect(numbersIn(bars[0] ?? '', 'height')).toEqual([2])
    const [x = 0, width = 0] = ['x', 'width'].map((name) => numbersIn(bars[99] ?? '', name)[0])
    expect(x + width).toBeLessThanOrEqual(640)
  })
})

describe('the chart of seats over time', () => {
  const change = (held: number, limit: number | 'unlimited' | 'unknown') => ({
    held,
    reserved: 1,
    limit,
  })

  it('has a step for each change, and the limit where there is one', () => {
    const chart = String(
      SeatChart({ changes: [change(1, 4), change(3, 4), change(1, 'unlimited')], label: 'Seats' })
    )
    const [, line = ''] = /<polyline class="used" points="([^"]*)"/.exec(chart) ?? []
    const heights = line.split(' ').map((point) => Number(point.split(',')[1]))
    // Used are 2, 4 and 2 of at most 4: half of the height, all of it, and half.
    expect(heights).toEqual([90, 90, 12, 12, 90, 90])
    expect(chart.match(/<line class="limit"/g)).toHaveLength(2)
    expect(chart).toMatch(/<text x="0" y="16">4<\/text>/)
  })

  it('is drawn above the limit, too', () => {
    const chart = String(SeatChart({ changes: [change(5, 2)], label: 'Seats' }))
    expect(chart).toMatch(/<text x="0" y="16">6<\/text>/)
    expect(chart).toMatch(/<line class="limit"[^>]*y1="116"/)
  })
})
