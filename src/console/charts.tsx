const WIDTH = 640
const HEIGHT = 180
const LEFT = 32
const BOTTOM = 12
const TOP = 12

interface Change {
  readonly held: number
  readonly reserved: number
  readonly limit: number | 'unlimited' | 'unknown'
}

/** Draws the seats in use, and the limit, after each change; the table beside it has the numbers. */
export function SeatChart({ changes, label }: { changes: readonly Change[]; label: string }) {
  const used = changes.map(({ held, reserved }) => held + reserved)
  const limits = changes.map(({ limit }) => (typeof limit === 'number' ? limit : null))
  const most = Math.max(1, ...used, ...limits.map((limit) => limit ?? 0))
  const x = (index: number) => LEFT + ((WIDTH - LEFT) * index) / Math.max(1, changes.length)
  const y = (seats: number) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * seats) / most
  const steps = used.map((seats, index) => `${x(index)},${y(seats)} ${x(index + 1)},${y(seats)}`)
  const line = steps.join(' ')
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <polygon class="area" points={`${x(0)},${y(0)} ${line} ${x(used.length)},${y(0)}`} />
      <polyline class="used" points={line} />
      {limits.map((limit, index) =>
        limit === null ? null : (
          <line class="limit" x1={x(index)} x2={x(index + 1)} y1={y(limit)} y2={y(limit)} />
        )
      )}
      <text x="0" y={y(most) + 4}>
        {most}
      </text>
      <text x="0" y={y(0)}>
        0
      </text>
    </svg>
  )
}

/** Draws a bar for each day. */
export function DayChart({
  days,
  label,
}: {
  days: readonly { readonly day: string; readonly count: number }[]
  label: string
}) {
  const most = Math.max(1, ...days.map(({ count }) => count))
  const height = 60
  const width = Math.min(48, WIDTH / Math.max(1, days.length))
  return (
    <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={label}>
      {days.map(({ day, count }, index) => {
        const tall = Math.max(2, (height * count) / most)
        return (
          <rect
            class="bar"
            x={index * width}
            y={height - tall}
            width={width - 2}
            height={tall}
            rx="2"
          >
            <title>{`${day}: ${count}`}</title>
          </rect>
        )
      })}
    </svg>
  )
}
