import { vi } from 'vitest'
import { freshStores } from './environment.ts'

// Files share a worker, but nothing else: no time that has passed, no spy, no data. Nobody imports
// this, so that it is run once for each of them.
vi.useRealTimers()
vi.restoreAllMocks()
vi.unstubAllGlobals()
await freshStores()
