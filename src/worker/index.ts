/**
 * The queue and cron handlers of a Worker that has a Seatgate. `seatgate/worker`
 *
 * @module
 */
export { auditQueueHandler, sweepHandler } from './handlers.ts'
