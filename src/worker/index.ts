/**
 * The queue and cron handlers of a Worker that has a Seatgate. `seatgate/worker`
 *
 * @module
 */
export { auditQueueHandler, sweepHandler } from './handlers.ts'
export { analyticsEngine } from './analytics-engine.ts'
export type { MetricDataset } from './analytics-engine.ts'
