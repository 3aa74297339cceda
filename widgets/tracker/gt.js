/**
 * What a site may say to the tracker: the queue `_gt`, and everything that can be pushed into it.
 *
 * Load this file before your first push, or copy its last line; the tracker itself may come later.
 * `gt.d.ts` is made of it: `npm run declarations` in `widgets/`.
 *
 * @typedef {Record<string, unknown>} GtData
 * @typedef {{visitID: string, pageID: string, globalVisitID: string}} GtIds
 * @typedef {{page?: string|null, channel: string, data: any}} GtNotice what came for a channel
 * @typedef {'none'|'memory'|'full'} GtConsent
 *
 * @typedef {object} GtSettings
 * @property {string} [httpEndpoint] address of the server, for pages of `http:`
 * @property {string} [httpsEndpoint] address of the server, for pages of `https:`
 * @property {GtConsent} [consent] what the site presumes until the visitor answers
 * @property {string} [languageCode] language of every event
 * @property {string[]} [allowedOrigins] further origins whose pages may be shown in frames
 * @property {boolean} [disableWebSockets] use Server-Sent Events at once
 * @property {boolean} [hashRoutes] is every change of `#..` another page, or none?
 * @property {boolean} [debug] say more in the console
 *
 * @typedef {['event', string, GtData?]
 *   | ['event', {eventName: string, [field: string]: unknown}]
 *   | ['sendSignIn'|'sendSignOut'|'sendUserInfo', GtData?]
 *   | ['getIDs', (ids: GtIds) => void]
 *   | ['on', string, (data: any, notice: GtNotice) => void]
 *   | ['consent', GtConsent]
 *   | ['config', GtSettings]} GtCommand
 *
 * @typedef {{push(...commands: (GtCommand | ((queue: GtQueue) => void))[]): unknown}} GtQueue
 */

/** @type {GtQueue} */
var _gt = window._gt || [];
