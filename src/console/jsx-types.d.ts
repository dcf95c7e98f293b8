/**
 * The elements of `hono/jsx`, by one module: a bundle that leaves out `hono` has one import of them and not
 * one for each page.
 *
 * @module
 */
export { Fragment, jsx, jsxDEV, jsxs, type JSX } from 'hono/jsx/jsx-runtime'
