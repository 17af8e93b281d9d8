import type { Problem as ProblemDocument } from './schema';

/** What went wrong, in plain words; `status` is null when no answer came from the server at all. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number | null;
  readonly retryAfterS: number | null;

  constructor(message: string, status: number | null = null, retryAfterS: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  static unreachable(): Problem {
    return new Problem('The server cannot be reached. Check your network, then try again.');
  }

  static connectionLost(): Problem {
    return new Problem('The connection was lost. Check your network, then try again.');
  }

  static async ofResponse(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => '');
    return ofDocument(response.status, parsed(text), response.headers.get('Retry-After'));
  }

  /** Of the data of an `error` event: a problem document, its status among its members. */
  static ofEvent(data: string): Problem {
    const document = parsed(data);
    return ofDocument(document.status ?? 502, document, null);
  }

  /** Of whatever was thrown: `fetch` throws a TypeError when the connection fails. */
  static of(error: unknown): Problem {
    if (error instanceof Problem) {
      return error;
    }
    return error instanceof TypeError
      ? Problem.unreachable()
      : new Problem(error instanceof Error ? error.message : String(error));
  }
}

/** Proxies answer in HTML, which says nothing a user could use: it counts as an empty document. */
function parsed(text: string): Partial<ProblemDocument> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function ofDocument(status: number, document: Partial<ProblemDocument>, retryAfter: string | null): Problem {
  const fields = Object.values(document.errors ?? {}).flat();
  const sentences = fields.length ? fields : [document.detail?.trim() || document.title?.trim() || fallback(status)];
  const seconds = retryAfter === null ? NaN : Math.ceil(Number(retryAfter));
  const waits = Number.isFinite(seconds);
  if (waits) {
    sentences.push(`Try again in ${seconds} s.`);
  }
  return new Problem(sentences.map(ended).join(' '), status, waits ? seconds : null);
}

function ended(sentence: string): string {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

const FALLBACKS: Readonly<Record<number, string>> = {
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
