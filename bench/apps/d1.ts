import type { Bindings } from './app.ts'
import { seatgateApp } from './seatgate.ts'

export default (bindings: Bindings) => seatgateApp(bindings, 'd1')
