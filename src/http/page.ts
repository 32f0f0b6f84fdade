/** Types of pages and endpoints. */

import type { HttpAnswer, HttpReply, HttpRequest } from '../listen/http-service.ts'

/** Replies to one request. */
export type Page = (request: HttpRequest) => HttpReply | Promise<HttpReply>

/** Replies to one request, or upgrades it. */
export type Endpoint = (request: HttpRequest) => HttpAnswer | Promise<HttpReply>
