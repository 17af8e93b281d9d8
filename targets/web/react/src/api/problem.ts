/** What went wrong, in plain words; `status` is null when no answer came from the server at all. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number | null;

  constructor(message: string, status: number | null = null) {
    super(message);
    this.status = status;
  }
}

export const connectionLost = (): Problem =>
  new Problem('The connection was lost. Check your network, then try again.');

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(error instanceof Error ? error.message : String(error));
}

/** A refusal: `body` is its problem document, or what a proxy sent instead. */
export function refusal(status: number, body: unknown, retryAfter: string | null): Problem {
  const document = isRecord(body) ? body : {};
  const sentences = [
    fieldErrors(document.errors) ?? text(document.detail) ?? text(document.title) ?? fallback(status),
    retryAfter && /^\d+$/.test(retryAfter) ? `Try again in ${retryAfter} s.` : null,
  ];
  return new Problem(
    sentences
      .filter((sentence) => sentence !== null)
      .map(ended)
      .join(' '),
    status,
  );
}

/** The data of an `error` event: a problem document with its status among its members. */
export function streamedProblem(body: unknown): Problem {
  return refusal(isRecord(body) && typeof body.status === 'number' ? body.status : 502, body, null);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function fieldErrors(errors: unknown): string | null {
  const messages = isRecord(errors)
    ? Object.values(errors)
        .flat()
        .filter((message) => typeof message === 'string')
    : [];
  return messages.length ? messages.map(ended).join(' ') : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() ? value.trim() : null;
}

function ended(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

const FALLBACKS: Record<number, string> = {
  401: 'You are signed out.',
  403: 'You may not do this.',
  404: 'This does not exist, or it is not yours.',
  413: 'The message is too long.',
  429: 'Too many messages in a short time.',
  502: 'The language model did not answer.',
};

function fallback(status: number): string {
  return FALLBACKS[status] ?? `The server answered with an error (${status}).`;
}
