import { vi } from 'vitest';

import type { Conversation, Message, User } from './api/schema';

export const USER: User = { id: 1, username: 'user0001', role: 'user', is_active: true };
export const AT = '2025-04-08T08:00:00Z';

export function conversation(id: string, title: string): Conversation {
  return { id, title, created_at: AT, updated_at: AT };
}

export function message(id: string, role: Message['role'], content: string): Message {
  return { id, role, content, created_at: AT, hidden: false, feedback: null };
}

export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The beginning of an answer: the stored question `q` in the conversation `c1`, then these tokens. */
export function begun(question: string, ...tokens: string[]): string {
  return (
    event('message', {
      message: message('q', 'user', question),
      answer_id: 'a',
      conversation: conversation('c1', 'Holiday plans'),
    }) + tokens.map((text) => event('token', { text })).join('')
  );
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

export function page<Item>(results: Item[], next: string | null = null) {
  return { count: results.length, next, previous: null, results };
}

/** A stream that the test writes to piece by piece; aborting the request breaks it. */
export function openStream(request: Request) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(started) {
      controller = started;
    },
  });
  request.signal.addEventListener('abort', () => controller.error(request.signal.reason));
  return {
    response: new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }),
    write: (text: string) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    breakOff: () => controller.error(new TypeError('network error')),
  };
}

/** A whole stream, three bytes at a time: characters and events are cut anywhere. */
export function stream(text: string): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, (at += 3)));
      } else {
        controller.close();
      }
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

type Handler = (request: Request) => Response | Promise<Response>;

/** Answers requests by `METHOD /path`, without the query; an unexpected one fails the test that made it. */
export class TestServer {
  readonly requests: Request[] = [];
  private readonly handlers: Record<string, Handler>;

  constructor(handlers: Record<string, Handler>) {
    this.handlers = handlers;
    vi.stubGlobal('fetch', (request: Request) => {
      this.requests.push(request.clone());
      const name = `${request.method} ${new URL(request.url).pathname}`;
      const handler = this.handlers[name];
      return handler ? Promise.resolve(handler(request)) : Promise.reject(new Error(`unexpected request: ${name}`));
    });
  }

  on(name: string, handler: Handler): void {
    this.handlers[name] = handler;
  }

  /** Every request of that name so far. */
  received(name: string): Request[] {
    return this.requests.filter(({ method, url }) => `${method} ${new URL(url).pathname}` === name);
  }
}
