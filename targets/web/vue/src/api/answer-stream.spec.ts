import { describe, expect, it, vi } from 'vitest';

import { conversationOf, event, messageOf, problemResponse, serve, streamResponse } from '../test/server';
import { streamAnswer, type AnswerEvent } from './answer-stream';
import { onSessionEnd } from './client';
import { Problem } from './problem';

const POST = 'POST /api/conversations/c1/messages';
const QUESTION = messageOf('m1', 'user', 'Hi');
const ANSWER = messageOf('m2', 'assistant', '👋 hello');
const CONVERSATION = conversationOf('c1', 'Hi');
const BEGINNING =
  event('message', { message: QUESTION, answer_id: 'm2', conversation: CONVERSATION }) +
  event('token', { text: '👋 ' });
const WHOLE = BEGINNING + event('token', { text: 'hello' }) + event('done', { message: ANSWER });

async function collect(signal = new AbortController().signal): Promise<{ events: AnswerEvent[]; error: unknown }> {
  const events: AnswerEvent[] = [];
  try {
    for await (const received of streamAnswer('c1', 'Hi', signal)) {
      events.push(received);
    }
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

describe('streamAnswer', () => {
  it('sends the message with the CSRF token and asks for a stream', async () => {
    const { requests, bodies } = serve({ [POST]: () => streamResponse(WHOLE) });
    await collect();
    expect(bodies).toEqual([{ content: 'Hi' }]);
    expect(requests[0]?.headers.get('X-CSRFToken')).toBe('csrf-1');
    expect(requests[0]?.headers.get('Accept')).toBe('text/event-stream');
  });

  it.each([1, 2, 3, 5, 7, 64, 100_000])('yields every event when the bytes come %i at a time', async (size) => {
    serve({ [POST]: () => streamResponse(WHOLE, { size }) });
    expect(await collect()).toEqual({
      events: [
        { type: 'message', message: QUESTION, conversation: CONVERSATION },
        { type: 'token', text: '👋 ' },
        { type: 'token', text: 'hello' },
        { type: 'done', message: ANSWER },
      ],
      error: null,
    });
  });

  it.each([
    ['ends early', false],
    ['breaks', true],
  ])('reports a lost connection when the stream %s, after what had come', async (_how, breaks) => {
    serve({ [POST]: () => streamResponse(BEGINNING, { breaks }) });
    const { events, error } = await collect();
    expect(events).toHaveLength(2);
    expect(error).toEqual(Problem.connectionLost());
  });

  it('reports an error event in its own words', async () => {
    const document = { title: 'Bad Gateway', status: 502, detail: 'The model failed midway.' };
    serve({ [POST]: () => streamResponse(BEGINNING + event('error', document)) });
    const { events, error } = await collect();
    expect(events).toHaveLength(2);
    expect(error).toMatchObject({ message: 'The model failed midway.', status: 502 });
  });

  it('reports a refusal and how long to wait', async () => {
    serve({ [POST]: () => problemResponse(429, 'Too many messages.', { 'Retry-After': '7' }) });
    expect((await collect()).error).toMatchObject({ message: 'Too many messages. Try again in 7 s.', retryAfterS: 7 });
  });

  it('tells the application that the session is over', async () => {
    const ended = vi.fn();
    onSessionEnd(ended);
    serve({ [POST]: () => problemResponse(401, 'Sign in first.') });
    await collect();
    expect(ended).toHaveBeenCalledOnce();
  });

  it('reports a server out of reach', async () => {
    serve({
      [POST]: () => {
        throw new TypeError('Failed to fetch');
      },
    });
    expect((await collect()).error).toEqual(Problem.connectionLost());
  });

  it('reports a stream that brings nothing for 75 s', async () => {
    vi.useFakeTimers();
    serve({
      [POST]: (request) =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => {
            reject(new DOMException('aborted', 'AbortError'));
          });
        }),
    });
    const collected = collect();
    await vi.advanceTimersByTimeAsync(76_000);
    vi.useRealTimers();
    expect((await collected).error).toMatchObject({ message: 'The answer stopped coming. Try again.' });
  });

  it('passes a stop on as what it is, and cancels the body', async () => {
    const stop = new AbortController();
    const cancelled = vi.fn();
    serve({
      [POST]: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode(BEGINNING));
              stop.signal.addEventListener('abort', () => {
                controller.error(new DOMException('aborted', 'AbortError'));
              });
            },
            cancel: cancelled,
          }),
        ),
    });
    const collected = collect(stop.signal);
    setTimeout(() => {
      stop.abort();
    }, 10);
    const { events, error } = await collected;
    expect(events).toHaveLength(2);
    expect(error).not.toBeInstanceOf(Problem);
  });

  it('cancels the body when nobody listens any more', async () => {
    const cancelled = vi.fn();
    serve({
      [POST]: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode(BEGINNING));
            },
            cancel: cancelled,
          }),
        ),
    });
    for await (const received of streamAnswer('c1', 'Hi', new AbortController().signal)) {
      expect(received.type).toBe('message');
      break;
    }
    await vi.waitFor(() => {
      expect(cancelled).toHaveBeenCalledOnce();
    });
  });
});
