import { vi } from 'vitest';

import type { Conversation, Message, User } from '../api/schema';

export const USER: User = { id: 1, username: 'user0001', role: 'user', is_active: true };
export const ADMIN: User = { id: 9, username: 'admin', role: 'admin', is_active: true };

export function conversationOf(id: string, title: string, updated_at = '2025-04-08T08:00:00Z'): Conversation {
  return { id, title, created_at: '2025-04-08T08:00:00Z', updated_at };
}

export function messageOf(id: string, role: Message['role'], content: string, more: Partial<Message> = {}): Message {
  return { id, role, content, created_at: '2025-04-08T08:00:00Z', hidden: false, feedback: null, ...more };
}

export function pageOf(results: unknown[], next: string | null = null): unknown {
  return { count: results.length, next, previous: null, results };
}

export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function problemResponse(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ type: 'about:blank', title: 'Problem', status, detail }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}

/** A stream of the bytes of `text`, `size` at a time, so that characters and events are cut anywhere. */
export function streamResponse(text: string, { size = 3, breaks = false } = {}): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, (at += size)));
      } else if (breaks) {
        controller.error(new TypeError('network error'));
      } else {
        controller.close();
      }
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

type Handler = (request: Request, body: unknown) => unknown;

/**
 * Answers the application's requests in place of an API.
 *
 * @param routes by method and path such as `GET /api/auth/me`; what a handler returns is sent as JSON, unless it is a
 *   response, and what it throws fails the request. A request to another address fails the test.
 * @returns the requests so far, as `METHOD path?query` and their bodies
 */
export function serve(routes: Record<string, Handler>): { seen: string[]; bodies: unknown[]; requests: Request[] } {
  const log = { seen: [] as string[], bodies: [] as unknown[], requests: [] as Request[] };
  vi.stubGlobal('fetch', async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const text = await request.clone().text();
    const body: unknown = text ? JSON.parse(text) : null;
    log.seen.push(`${request.method} ${url.pathname}${url.search}`);
    log.bodies.push(body);
    log.requests.push(request);
    const handler = routes[`${request.method} ${url.pathname}`];
    if (!handler) {
      throw new Error(`no route for ${request.method} ${url.pathname}`);
    }
    const answer = await handler(request, body);
    if (answer instanceof Response) {
      return answer;
    }
    return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer);
  });
  return log;
}
