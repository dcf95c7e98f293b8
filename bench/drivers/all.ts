import type { Product } from '../subjects.ts'
import { betterAuthDriver } from './better-auth.ts'
import type { Driver } from './driver.ts'
import { floorDriver } from './floor.ts'
import { seatgateDriver } from './seatgate.ts'

/** The driver of a product. `library` is the checkout of Seatgate that is measured. */
export function driverOf(product: Product, library: string): Driver {
  if (product === 'floor') return floorDriver
  return product === 'better-auth' ? betterAuthDriver : seatgateDriver(library)
}
