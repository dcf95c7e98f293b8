/** The bindings of every measured Worker. A Worker uses those that it needs. */
export interface Bindings {
  readonly DB: D1Database
  readonly OBJECTS: DurableObjectNamespace
  readonly QUEUE: Queue
}

/** A measured product as a Worker: made from its bindings, so that a meter can stand around them. */
export interface App {
  fetch(request: Request): Response | Promise<Response>
  queue?(batch: MessageBatch): Promise<void>
}
