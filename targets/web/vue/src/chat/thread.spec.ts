import { describe, expect, it, vi } from 'vitest';

import type { Conversation, Message } from '../api/schema';
import { conversationOf, event, messageOf, problemResponse, serve, streamResponse } from '../test/server';
import { createThread, type Thread } from './thread';

const MESSAGES = '/api/conversations/c1/messages';
const CONVERSATION = conversationOf('c1', 'Named');
/** As the server has it with the first message. */
const TITLED = conversationOf('c1', 'Hi', '2025-04-08T08:01:00Z');

const asked = (content = 'Hi'): string =>
  event('message', { message: messageOf('m1', 'user', content), answer_id: 'm2', conversation: TITLED });
const token = (text: string): string => event('token', { text });
const COMPLETE =
  asked() + token('Hel') + token('lo') + event('done', { message: messageOf('m2', 'assistant', 'Hello') });

function serveThread(answers: (() => Response | Promise<Response>)[], stored: Message[] = []) {
  return serve({
    'GET /api/conversations/c1': () => CONVERSATION,
    [`GET ${MESSAGES}`]: () => ({ results: stored }),
    [`POST ${MESSAGES}`]: () => answers.shift()?.(),
  });
}

function threadWith(changed: (conversation: Conversation) => void = () => undefined): Thread {
  return createThread('c1', changed);
}

const shown = (thread: Thread): string[] => thread.entries.map(({ role, state, text }) => `${role} ${state}: ${text}`);

describe('a thread', () => {
  it('shows the question, then the answer as stored, and tells of the changed conversation', async () => {
    const { seen } = serveThread([() => streamResponse(COMPLETE)]);
    const changed = vi.fn();
    const thread = threadWith(changed);
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
    expect(thread.answering).toBe(false);
    expect(changed).toHaveBeenCalledExactlyOnceWith(TITLED);
    expect(thread.conversation).toEqual(TITLED);
    expect(seen).toEqual([`POST ${MESSAGES}`]); // the stream says it all
  });

  it('shows the answer while it is written', async () => {
    serveThread([() => streamResponse(COMPLETE, { size: 4 })]);
    const thread = threadWith();
    const sending = thread.send('Hi');
    await vi.waitFor(() => {
      expect(shown(thread)[1]).toMatch(/^assistant (streaming: Hel|done: Hello)/);
    });
    await sending;
  });

  it('keeps the history when a message is sent before it has loaded', async () => {
    serveThread([() => streamResponse(COMPLETE)], [messageOf('m0', 'user', 'Earlier')]);
    const thread = threadWith();
    await Promise.all([thread.load(), thread.send('Hi')]);
    expect(shown(thread)).toEqual(['user done: Earlier', 'user done: Hi', 'assistant done: Hello']);
  });

  it('keeps what went wrong when it loads again', async () => {
    serveThread([() => problemResponse(429, 'Too many messages.')], [messageOf('m0', 'user', 'Hi')]);
    const thread = threadWith();
    await thread.send('Hi');
    await thread.load();
    expect(thread.entries.at(-1)?.problem?.message).toBe('Too many messages.');
  });

  it('keeps the entries that are on the page when it loads again', async () => {
    serveThread([], [messageOf('m0', 'user', 'Earlier')]);
    const thread = threadWith();
    await thread.load();
    const [entry] = thread.entries;
    await thread.load();
    expect(thread.entries[0]).toBe(entry);
  });

  it('keeps what came before a lost connection and sends the question again', async () => {
    serveThread([() => streamResponse(asked() + token('Hel')), () => streamResponse(COMPLETE)]);
    const thread = threadWith();
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant failed: Hel']);
    expect(thread.entries[1]?.problem?.message).toContain('connection was lost');

    await thread.retry(thread.entries[1]!);
    expect(shown(thread)).toEqual([
      'user done: Hi',
      'assistant stopped: Hel',
      'user done: Hi',
      'assistant done: Hello',
    ]);
    expect(thread.entries[1]?.problem).toBeNull();
  });

  it('replaces a question that the server refused instead of doubling it', async () => {
    serveThread([() => problemResponse(429, 'Too many messages.'), () => streamResponse(COMPLETE)]);
    const thread = threadWith();
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user failed: Hi', 'assistant failed: ']);
    await thread.retry(thread.entries[1]!);
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
  });

  it('stops without an error', async () => {
    let begun: ReadableStreamDefaultController | undefined;
    const { requests } = serveThread([
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              begun = controller;
              controller.enqueue(new TextEncoder().encode(asked() + token('Hel')));
            },
          }),
        ),
    ]);
    const thread = threadWith();
    const sending = thread.send('Hi');
    await vi.waitFor(() => {
      expect(thread.entries[1]?.state).toBe('streaming');
    });
    thread.stop();
    begun?.error(new DOMException('aborted', 'AbortError')); // as fetch does when its signal is aborted
    await sending;
    expect(requests.find(({ method }) => method === 'POST')?.signal.aborted).toBe(true);
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant stopped: Hel']);
    expect(thread.entries[1]?.problem).toBeNull();
  });

  it('reports a conversation that cannot be loaded', async () => {
    serve({
      'GET /api/conversations/c1': () => problemResponse(404, 'There is no such conversation.'),
      [`GET ${MESSAGES}`]: () => problemResponse(404, 'There is no such conversation.'),
    });
    const thread = threadWith();
    await thread.load();
    expect(thread.problem).toMatchObject({ status: 404, message: 'There is no such conversation.' });
  });
});
