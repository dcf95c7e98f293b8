/** An action, or a prefix of several: `organization.*`. */
export const PATTERN = /^(\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?)$/

/** Returns whether a pattern accepts an action. */
export function matches(pattern: string, action: string): boolean {
  return pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : action === pattern
}

/** The actions that a consumer of the trail accepts. */
export interface AcceptedActions {
  /** Default all. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  accepts?(action: string): boolean
}

/** Returns the field that keeps an action out; null if the action is accepted. */
export function keptOutBy(
  consumer: AcceptedActions,
  action: string
): 'include' | 'exclude' | 'accepts' | null {
  const { include, exclude = [] } = consumer
  if (include && !include.some((pattern) => matches(pattern, action))) return 'include'
  if (exclude.some((pattern) => matches(pattern, action))) return 'exclude'
  return (consumer.accepts?.(action) ?? true) ? null : 'accepts'
}
