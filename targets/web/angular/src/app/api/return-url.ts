/** Return `url` if it is a path of this application, else `/`: signing in by a link must not lead users elsewhere. */
export function safeReturnUrl(url: string | null): string {
  return url && /^\/(?![/\\])/.test(url) && !url.startsWith('/sign-in') ? url : '/';
}
