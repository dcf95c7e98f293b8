// The types of the platform that the declarations of the routes name. A page has the globals of the DOM
// instead of the others.
type D1Database = import('@cloudflare/workers-types').D1Database
type D1DatabaseSession = import('@cloudflare/workers-types').D1DatabaseSession

// The part that the Worker of an example imports.
declare module 'cloudflare:workers' {
  export const env: { readonly DB: D1Database }
}

// The parts of react-dom that the tests call.
declare module 'react-dom/client' {
  import type { ReactNode } from 'react'

  export function createRoot(container: Element): { render(node: ReactNode): void }
}

declare module 'react-dom/server' {
  import type { ReactNode } from 'react'

  export function renderToString(node: ReactNode): string
}
