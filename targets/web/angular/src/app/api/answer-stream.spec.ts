import { HttpXsrfTokenExtractor } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { vi } from 'vitest';

import { AnswerEvent, AnswerStream } from './answer-stream';
import { Problem } from './problem';
import { SessionEnd } from './session-end';

const MESSAGE = { id: 'm', role: 'user', content: 'Hi', created_at: '', hidden: false, feedback: null };
const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const CONVERSATION = { id: 'c/1', title: 'Hi', created_at: '', updated_at: '' };
const BEGINNING =
  event('message', { message: MESSAGE, answer_id: 'a', conversation: CONVERSATION }) + event('token', { text: '👋 ' });

const fetchMock = vi.fn<typeof fetch>();

/** Answers with the bytes of `text`, a few at a time, so that characters and events are cut anywhere. */
function respond(text: string, { fails = false, status = 200, headers = {} as Record<string, string> } = {}): void {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) {
        controller.enqueue(bytes.slice(at, (at += 3)));
      } else if (fails) {
        controller.error(new TypeError('network error'));
      } else {
        controller.close();
      }
    },
  });
  fetchMock.mockResolvedValueOnce(new Response(body, { status, headers }));
}

async function collect(
  signal = new AbortController().signal,
): Promise<{ events: AnswerEvent[]; problem: Problem | null }> {
  const events: AnswerEvent[] = [];
  try {
    for await (const received of TestBed.inject(AnswerStream).send('c/1', 'Hi', signal)) {
      events.push(received);
    }
    return { events, problem: null };
  } catch (error) {
    return { events, problem: error as Problem };
  }
}

describe('AnswerStream', () => {
  beforeEach(() => {
    fetchMock.mockReset();
    vi.stubGlobal('fetch', fetchMock);
    const extractor: HttpXsrfTokenExtractor = { getToken: () => 'csrf-1' };
    TestBed.configureTestingModule({ providers: [{ provide: HttpXsrfTokenExtractor, useValue: extractor }] });
  });

  afterEach(() => vi.unstubAllGlobals());

  it('sends the CSRF token and yields every event', async () => {
    respond(BEGINNING + event('done', { message: { ...MESSAGE, role: 'assistant' } }));
    const { events, problem } = await collect();
    expect(problem).toBeNull();
    expect(events.map(({ type }) => type)).toEqual(['message', 'token', 'done']);
    expect(events[0]).toEqual({ type: 'message', message: MESSAGE, conversation: CONVERSATION });
    expect(events[1]).toEqual({ type: 'token', text: '👋 ' });
    const [url, init] = fetchMock.mock.calls[0]!;
    expect(url).toBe('/api/conversations/c%2F1/messages');
    expect(new Headers(init?.headers).get('X-CSRFToken')).toBe('csrf-1');
    expect(init?.body).toBe('{"content":"Hi"}');
  });

  it.each([
    ['ends early', false],
    ['breaks', true],
  ])('reports a lost connection when the stream %s, after what had come', async (_how, fails) => {
    respond(BEGINNING, { fails });
    const { events, problem } = await collect();
    expect(events).toHaveLength(2);
    expect(problem?.message).toContain('connection was lost');
    expect(problem?.status).toBeNull();
  });

  it('reports an error event in its own words', async () => {
    respond(BEGINNING + event('error', { title: 'Bad Gateway', status: 502, detail: 'The model failed midway.' }));
    const { problem } = await collect();
    expect(problem?.message).toBe('The model failed midway.');
    expect(problem?.status).toBe(502);
  });

  it('says how long to wait', async () => {
    respond('{"detail": "Too many messages."}', { status: 429, headers: { 'Retry-After': '7' } });
    const { problem } = await collect();
    expect(problem?.message).toBe('Too many messages. Try again in 7 s.');
    expect(problem?.retryAfterSeconds).toBe(7);
  });

  it('does not show the HTML page of a proxy', async () => {
    respond('<html><h1>504 Gateway Time-out</h1></html>', { status: 504 });
    expect((await collect()).problem?.message).toBe('The server answered with an error (504).');
  });

  it('tells the application that the session is over', async () => {
    const ended = vi.fn();
    TestBed.inject(SessionEnd).events.subscribe(ended);
    respond('{}', { status: 401 });
    await collect();
    expect(ended).toHaveBeenCalledOnce();
  });

  it('reports an unreachable server', async () => {
    fetchMock.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    expect((await collect()).problem?.message).toContain('connection was lost');
  });

  it('passes a stop on as what it is', async () => {
    const abort = new AbortController();
    fetchMock.mockImplementationOnce((_url, init) => {
      abort.abort();
      return Promise.reject(init?.signal?.reason as Error);
    });
    const { problem } = await collect(abort.signal);
    expect(problem).not.toBeInstanceOf(Problem);
  });
});
