import { seatgateDriver } from '../scoreboard/drivers/seatgate.ts'
import { describeMuseum } from './museum.ts'

describeMuseum(seatgateDriver('seatgate', 'ledger'))
