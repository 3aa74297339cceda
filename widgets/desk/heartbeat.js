// @ts-check
/** One tick a second. Browsers slow the timers of a hidden page, not those of its worker, and an
 * agent whose desk lies behind another window is still there. */
setInterval(() => postMessage("tick"), 1_000);
