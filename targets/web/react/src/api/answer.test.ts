import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { begun, conversation, event, json, message, openStream, stream, TestServer } from '../test-server';
import { type AnswerEvent, streamAnswer } from './answer';
import { session } from './client';
import type { Problem } from './problem';

const SEND = 'POST /api/conversations/c%2F1/messages';
const DONE = event('done', { message: message('a', 'assistant', '👋 Hello') });

async function collect(signal = new AbortController().signal): Promise<{ events: AnswerEvent[]; error: unknown }> {
  const events: AnswerEvent[] = [];
  try {
    for await (const received of streamAnswer('c/1', 'Hi', signal)) {
      events.push(received);
    }
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

const problemOf = async (): Promise<Problem> => (await collect()).error as Problem;

describe('streamAnswer', () => {
  beforeEach(() => {
    document.cookie = 'csrftoken=csrf-1';
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('sends the CSRF token and yields every event of a stream cut anywhere', async () => {
    const server = new TestServer({ [SEND]: () => stream(begun('Hi', '👋 ', 'Hello') + ': still here\n\n' + DONE) });
    const { events, error } = await collect();
    expect(error).toBeNull();
    expect(events.map(({ type }) => type)).toEqual(['message', 'token', 'token', 'done']);
    expect(events[0]).toMatchObject({ message: { id: 'q' }, conversation: conversation('c1', 'Holiday plans') });
    expect(events[1]).toEqual({ type: 'token', text: '👋 ' });
    const [request] = server.requests;
    expect(request?.headers.get('X-CSRFToken')).toBe('csrf-1');
    expect(request?.headers.get('Accept')).toBe('text/event-stream');
    expect(await request?.json()).toEqual({ content: 'Hi' });
  });

  it('reports a lost connection when the stream ends early, after what had come', async () => {
    new TestServer({ [SEND]: () => stream(begun('Hi', 'Hel')) });
    const { events, error } = await collect();
    expect(events).toHaveLength(2);
    expect((error as Problem).message).toContain('connection was lost');
    expect((error as Problem).status).toBeNull();
  });

  it('reports a lost connection when the stream breaks', async () => {
    new TestServer({
      [SEND]: (request) => {
        const open = openStream(request);
        setTimeout(open.breakOff);
        return open.response;
      },
    });
    expect((await problemOf()).message).toContain('connection was lost');
  });

  it('reports an unreachable server', async () => {
    new TestServer({ [SEND]: () => Promise.reject(new TypeError('Failed to fetch')) });
    expect((await problemOf()).message).toContain('connection was lost');
  });

  it('takes a connection that stays silent for lost', async () => {
    vi.useFakeTimers();
    new TestServer({ [SEND]: (request) => openStream(request).response });
    const collected = collect();
    await vi.advanceTimersByTimeAsync(76_000);
    expect(((await collected).error as Problem).message).toBe('The answer stopped coming. Try again.');
  });

  it('reports an error event in its own words', async () => {
    const problem = { title: 'Bad Gateway', status: 502, detail: 'The model failed midway.' };
    new TestServer({ [SEND]: () => stream(begun('Hi') + event('error', problem)) });
    expect(await problemOf()).toMatchObject({ message: 'The model failed midway.', status: 502 });
  });

  it('says how long to wait', async () => {
    new TestServer({ [SEND]: () => json({ detail: 'Too many messages.' }, 429, { 'Retry-After': '7' }) });
    expect(await problemOf()).toMatchObject({ message: 'Too many messages. Try again in 7 s.', status: 429 });
  });

  it('does not show the HTML page of a proxy', async () => {
    new TestServer({ [SEND]: () => new Response('<html><h1>504 Gateway Time-out</h1></html>', { status: 504 }) });
    expect((await problemOf()).message).toBe('The server answered with an error (504).');
  });

  it('tells the application that the session is over', async () => {
    const ended = vi.fn();
    session.addEventListener('ended', ended, { once: true });
    new TestServer({ [SEND]: () => json({}, 401) });
    await collect();
    expect(ended).toHaveBeenCalledOnce();
  });

  it('ends the request when stopped, and passes the stop on as what it is', async () => {
    const abort = new AbortController();
    let sent: Request | undefined;
    new TestServer({
      [SEND]: (request) => {
        sent = request;
        const open = openStream(request);
        open.write(begun('Hi', 'Hel'));
        return open.response;
      },
    });
    const events: string[] = [];
    const reading = (async () => {
      for await (const received of streamAnswer('c/1', 'Hi', abort.signal)) {
        events.push(received.type);
        if (received.type === 'token') {
          abort.abort();
        }
      }
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(events).toEqual(['message', 'token']);
    expect(sent?.signal.aborted).toBe(true);
  });
});
