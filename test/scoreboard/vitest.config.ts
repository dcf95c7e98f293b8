import { defineConfig } from 'vitest/config'
import { workerd } from '../../vitest.config.ts'
import { ScoreboardReporter } from './reporter.ts'

/** The museum against the drivers that are named in the environment; see `npm run conformance`. */
export default defineConfig({
  plugins: [workerd({ SCOREBOARD_DRIVERS: process.env['SCOREBOARD_DRIVERS'] ?? 'seatgate' })],
  test: {
    include: ['test/scoreboard/scoreboard.test.ts'],
    setupFiles: ['test/kit/each-file.ts'],
    reporters: [
      'dot',
      new ScoreboardReporter({ strict: process.env['SCOREBOARD_STRICT'] === 'yes' }),
    ],
  },
})
