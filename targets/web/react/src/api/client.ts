import createClient, { type Middleware } from 'openapi-fetch';

import { connectionLost, Problem, refusal } from './problem';
import type { paths } from './schema';

const SAFE_METHODS = ['GET', 'HEAD'];

/** Fires `ended` when the server no longer knows the session: expired, signed out elsewhere, account deactivated. */
export const session = new EventTarget();

const csrf: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.includes(request.method)) {
      request.headers.set('X-CSRFToken', /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? '');
    }
  },
};

const sessionEnd: Middleware = {
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.startsWith('/api/auth/')) {
      session.dispatchEvent(new Event('ended'));
    }
  },
};

/** Paths, parameters and bodies are checked against the contract by the compiler. */
export const client = createClient<paths>({
  baseUrl: location.origin,
  cache: 'no-store',
  fetch: (request) => globalThis.fetch(request),
});
client.use(csrf, sessionEnd);

interface Outcome<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * The data of an answer.
 *
 * @throws Problem when the server refuses or cannot be reached; what `fetch` throws when the request was aborted
 */
export async function dataOf<Data>(request: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>;
  try {
    outcome = await request;
  } catch (error) {
    if (error instanceof TypeError) {
      throw connectionLost();
    }
    throw error instanceof SyntaxError ? new Problem('The server’s answer cannot be read.') : error;
  }
  const { data, error, response } = outcome;
  if (!response.ok) {
    throw refusal(response.status, error, response.headers.get('Retry-After'));
  }
  return data as Data;
}
