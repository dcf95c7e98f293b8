/** What came of a case, for the scoreboard. */
export interface Outcome {
  readonly driver: string
  readonly id: string
  readonly title: string
  readonly result: 'pass' | 'fail' | 'not applicable'
  readonly reason: string
}
