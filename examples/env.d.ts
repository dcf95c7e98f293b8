/** The bindings of all examples, as `wrangler types` declares those of one Worker. */
declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database
    readonly AUDIT_QUEUE: Queue
    readonly CHECKPOINTS: R2Bucket
    readonly AUDIT_LOG_KEY: string
    readonly AUDIT_WEBHOOK_SECRET: string
    readonly AUDIT_WEBHOOK_URL: string
    readonly BETTER_AUTH_SECRET: string
    readonly TOKEN_AUDIENCE: string
    readonly TOKEN_ISSUER: string
    readonly PUBLIC_URL: string
    readonly STRIPE_API_KEY: string
    readonly STRIPE_PRICE: string
    readonly STRIPE_WEBHOOK_SECRET: string
  }
}
