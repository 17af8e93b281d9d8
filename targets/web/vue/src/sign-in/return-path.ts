/** Returns `path` if it is one of this application, else `/`: signing in by a link must not lead users elsewhere. */
export function safeReturnPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])/.test(path) && !path.startsWith('/sign-in') ? path : '/';
}
