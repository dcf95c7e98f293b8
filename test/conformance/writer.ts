import { ConformanceReporter } from './reporter.ts'

/** For `vitest run --reporter`, which takes a module's default export. */
export default class ConformanceWriter extends ConformanceReporter {
  constructor() {
    super({ writes: true })
  }
}
