/**
 * Plots as SVG: bars and lines, drawn as what they are.
 *
 * @module
 */

export interface Series {
  readonly name: string
  readonly color: string
  /** One for each group or step; null where there is none. */
  readonly values: readonly (number | null)[]
}

export interface Plot {
  readonly title: string
  /** The names of the groups of bars, or of the steps of the lines. */
  readonly groups: readonly string[]
  readonly series: readonly Series[]
  readonly unit: (value: number) => string
}

const WIDTH = 860
const LEFT = 210
const TOP = 70
const BAR = 11
const GAP = 14

/** Horizontal bars, in groups. */
export function bars({ title, groups, series, unit }: Plot): string {
  const largest = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const tall = series.length * BAR + GAP
  const scale = (value: number) => (value / largest) * (WIDTH - LEFT - 90)
  const marks = groups.flatMap((group, row) => {
    const top = TOP + row * tall
    const label = text(LEFT - 10, top + (tall - GAP) / 2 + 4, group, 'end')
    const rows = series.flatMap(({ color, values }, index) => {
      const value = values[row] ?? null
      if (value === null) return []
      const y = top + index * BAR
      const long = Math.max(scale(value), 1)
      return [
        `<rect x="${LEFT}" y="${y}" width="${round(long)}" height="${BAR - 2}" fill="${color}"/>`,
        text(LEFT + long + 5, y + BAR - 3, unit(value), 'start', 9),
      ]
    })
    return [label, ...rows]
  })
  return svg(TOP + groups.length * tall, title, [...legend(series), ...marks])
}

const PLOT_HEIGHT = 240

/** Lines over steps, with a logarithmic scale upwards. */
export function lines({ title, groups, series, unit }: Plot): string {
  const values = series.flatMap((each) =>
    each.values.flatMap((value) => (value === null ? [] : [value]))
  )
  const top = Math.log10(Math.max(...values))
  const bottom = Math.log10(Math.max(1, Math.min(...values)))
  const bottomY = TOP + PLOT_HEIGHT
  const left = 80
  const x = (step: number) =>
    left + 40 + (step * (WIDTH - left - 200)) / Math.max(1, groups.length - 1)
  const y = (value: number) =>
    bottomY -
    10 -
    ((Math.log10(Math.max(1, value)) - bottom) / (top - bottom || 1)) * (PLOT_HEIGHT - 20)
  const axis = [
    `<path d="M${left} ${TOP}V${bottomY}H${WIDTH - 20}" fill="none" stroke="#888"/>`,
    ...groups.map((group, step) => text(x(step), bottomY + 18, group, 'middle')),
    ...[bottom, (bottom + top) / 2, top].map((power) =>
      text(left - 8, y(10 ** power) + 4, unit(Math.round(10 ** power)), 'end')
    ),
  ]
  const paths = series.flatMap(({ name, color, values: each }) => {
    const points = each.flatMap((value, step) =>
      value === null ? [] : [[x(step), y(value)] as const]
    )
    const path = points.map(([px, py]) => `${round(px)} ${round(py)}`).join('L')
    const [endX = 0, endY = 0] = points.at(-1) ?? []
    return [
      `<path d="M${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...points.map(
        ([px, py]) => `<circle cx="${round(px)}" cy="${round(py)}" r="3" fill="${color}"/>`
      ),
      text(endX + 8, endY + 4, name, 'start', 10),
    ]
  })
  return svg(bottomY + 30, title, [...legend(series), ...axis, ...paths])
}

function legend(series: readonly Series[]): string[] {
  let x = 20
  return series.flatMap(({ name, color }) => {
    const at = x
    x += 30 + name.length * 7
    return [
      `<rect x="${at}" y="42" width="10" height="10" fill="${color}"/>`,
      text(at + 15, 51, name, 'start'),
    ]
  })
}

function text(x: number, y: number, words: string, anchor: string, size = 11): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${safe}</text>`
}

function svg(height: number, title: string, marks: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height + 10}" font-family="system-ui, sans-serif" fill="#222" role="img">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(20, 26, title, 'start', 15),
    ...marks,
    '</svg>',
    '',
  ].join('\n')
}

const round = (value: number) => Math.round(value * 10) / 10
