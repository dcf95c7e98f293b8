import { testEnv } from './environment.ts'

/** The rows of every table, each as JSON. */
export type Rows = Readonly<Record<string, readonly string[]>>

/** Every row of every table, but for how far the sweep has come. */
export async function everything(): Promise<Rows> {
  const { results } = await testEnv.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table'
     AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' AND name NOT IN ('d1_migrations', 'seatgate_rotations')`
  ).all<{ name: string }>()
  const rows = await testEnv.DB.batch(
    results.map(({ name }) => testEnv.DB.prepare(`SELECT * FROM "${name}"`))
  )
  return Object.fromEntries(
    results.map(({ name }, index) => [
      name,
      ((rows[index]?.results ?? []) as { action?: unknown }[])
        .filter(({ action }) => action !== 'seat.limit_reached')
        .map((row) => JSON.stringify(row))
        .sort(),
    ])
  )
}
