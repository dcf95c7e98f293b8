/** Who did it. `system` is the host itself and has no id. */
export type AuditActor =
  | {
      readonly type: 'user' | 'operator' | 'service_account' | 'webhook' | 'job'
      readonly id: string
    }
  | { readonly type: 'system' | 'anonymous'; readonly id: null }

/** The actor that an event names, and the user whose rights the actor used, if any. */
export interface Attribution {
  readonly actor: AuditActor
  readonly effectiveUserId: string | null
}
