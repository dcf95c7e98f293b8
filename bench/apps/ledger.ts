import type { Bindings } from './app.ts'
import { seatgateApp } from './seatgate.ts'

export { SeatLedger as Counter } from 'seatgate/durable-object'

export default (bindings: Bindings) => seatgateApp(bindings, 'ledger')
