import createClient, { type Middleware } from 'openapi-fetch';

import { Problem } from './problem';
import type { paths } from './schema';

type Listener = () => void;
const listeners = new Set<Listener>();

/** Calls `listener` when the server no longer knows the session: expired, ended elsewhere, or the account deactivated. */
export function onSessionEnd(listener: Listener): void {
  listeners.add(listener);
}

function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? '';
}

const contract: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET') {
      request.headers.set('X-CSRFToken', csrfToken());
    }
  },

  async onResponse({ response, schemaPath }) {
    if (response.ok) {
      return;
    }
    // a failed sign-in is a 401 too, but no session ends with it
    if (response.status === 401 && !schemaPath.startsWith('/api/auth/')) {
      listeners.forEach((listener) => {
        listener();
      });
    }
    throw await Problem.ofResponse(response);
  },
};

/** The REST contract, its paths, parameters and bodies checked against the types generated from it. */
export const client = createClient<paths>({
  baseUrl: location.origin,
  fetch: (request) => fetch(request),
});
client.use(contract);
