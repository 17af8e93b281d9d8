import { HttpErrorResponse } from '@angular/common/http';

interface ProblemDocument {
  title?: unknown;
  detail?: unknown;
  errors?: unknown;
}

/** What went wrong, in plain words; `status` is null when no answer came from the server at all. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    message: string,
    readonly status: number | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }

  static connectionLost(): Problem {
    return new Problem('The connection was lost. Check your network, then try again.');
  }

  static fromHttp(error: HttpErrorResponse): Problem {
    return error.status === 0
      ? new Problem('The server cannot be reached. Check your network, then try again.')
      : fromDocument(error.status, parsed(error.error), error.headers.get('Retry-After'));
  }

  static async fromResponse(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => '');
    return fromDocument(response.status, parsed(text), response.headers.get('Retry-After'));
  }

  /** From the data of an `error` event: a problem document, its status among its members. */
  static fromEvent(data: unknown): Problem {
    const status = (data as { status?: unknown } | null)?.status;
    return fromDocument(typeof status === 'number' ? status : 502, data, null);
  }

  static from(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem(error instanceof Error ? error.message : String(error));
  }
}

function parsed(body: unknown): unknown {
  if (typeof body !== 'string') {
    return body;
  }
  try {
    return JSON.parse(body);
  } catch {
    return null; // a proxy's HTML page says nothing a user could use
  }
}

function fromDocument(status: number, body: unknown, retryAfter: string | null): Problem {
  const document: ProblemDocument = typeof body === 'object' && body !== null ? body : {};
  const seconds = Number(retryAfter);
  const wait = retryAfter && Number.isFinite(seconds) ? Math.ceil(seconds) : null;
  const sentences = [fieldErrors(document.errors) ?? text(document.detail) ?? text(document.title) ?? fallback(status)];
  if (wait !== null) {
    sentences.push(`Try again in ${wait} s.`);
  }
  return new Problem(sentences.map(ended).join(' '), status, wait);
}

function fieldErrors(errors: unknown): string | null {
  if (typeof errors !== 'object' || errors === null) {
    return null;
  }
  const messages = Object.values(errors)
    .flat()
    .filter((message) => typeof message === 'string');
  return messages.length ? messages.map(ended).join(' ') : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() ? value.trim() : null;
}

function ended(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

function fallback(status: number): string {
  switch (status) {
    case 401:
      return 'You are signed out.';
    case 403:
      return 'You may not do this.';
    case 404:
      return 'This does not exist, or it is not yours.';
    case 413:
      return 'The message is too long.';
    case 429:
      return 'Too many messages in a short time.';
    case 502:
      return 'The language model did not answer.';
    default:
      return `The server answered with an error (${status}).`;
  }
}
