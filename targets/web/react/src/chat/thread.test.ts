import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { begun, conversation, event, json, message, openStream, stream, TestServer } from '../test-server';
import { Thread } from './thread';

const SEND = 'POST /api/conversations/c1/messages';
const DONE = event('done', { message: message('a', 'assistant', 'Hello') });

let server: TestServer;

function stored(...messages: ReturnType<typeof message>[]): void {
  server.on('GET /api/conversations/c1/messages', () => json({ results: messages }));
}

const newThread = (): Thread => new Thread('c1', null, () => undefined);
const shown = (thread: Thread): string[] =>
  thread.state.entries.map(({ role, state, text }) => `${role} ${state}: ${text}`);

async function interrupted(): Promise<Thread> {
  server.on(SEND, () => stream(begun('Hi', 'Hel')));
  const thread = newThread();
  await thread.send('Hi');
  return thread;
}

async function refused(): Promise<Thread> {
  server.on(SEND, () => json({ detail: 'Too many messages.' }, 429));
  const thread = newThread();
  await thread.send('Hi');
  return thread;
}

async function retryLast(thread: Thread): Promise<void> {
  const last = thread.state.entries.at(-1);
  if (last) {
    server.on(SEND, () => stream(begun('Hi', 'Hel', 'lo') + DONE));
    await thread.retry(last);
  }
}

describe('Thread', () => {
  beforeEach(() => {
    server = new TestServer({
      'GET /api/conversations/c1': () => json(conversation('c1', 'Holiday plans')),
      [SEND]: () => stream(begun('Hi', 'Hel', 'lo') + DONE),
    });
    stored();
  });
  afterEach(() => vi.restoreAllMocks());

  it('shows the question, then the answer as stored', async () => {
    const thread = newThread();
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
    expect(thread.state.answering).toBe(false);
  });

  it('learns its title as soon as the server has stored the first message', async () => {
    const changed = vi.fn();
    server.on(SEND, (request) => {
      const open = openStream(request);
      open.write(begun('Hi'));
      return open.response;
    });
    const thread = new Thread('c1', conversation('c1', ''), changed, true);
    void thread.send('Hi');
    await vi.waitFor(() => expect(changed).toHaveBeenCalledWith(conversation('c1', 'Holiday plans')));
    expect(thread.state.conversation?.title).toBe('Holiday plans');
    expect(server.requests).toHaveLength(1); // the stream says it all
    thread.stop();
  });

  it('replaces only the entry that grows', async () => {
    stored(message('m0', 'user', 'Earlier'), message('m1', 'assistant', 'Answer'));
    let open!: ReturnType<typeof openStream>;
    server.on(SEND, (request) => (open = openStream(request)).response);
    const thread = newThread();
    await thread.load();
    const before = thread.state.entries;
    const sending = thread.send('Hi');
    await vi.waitFor(() => expect(server.received(SEND)).toHaveLength(1));
    open.write(begun('Hi', 'Hel'));
    await vi.waitFor(() => expect(shown(thread).at(-1)).toBe('assistant streaming: Hel'));
    expect(thread.state.entries[0]).toBe(before[0]);
    expect(thread.state.entries[1]).toBe(before[1]);
    open.write(DONE);
    await sending;
  });

  it('keeps the history when a message is sent before it has loaded', async () => {
    stored(message('m0', 'user', 'Earlier'));
    const thread = newThread();
    await Promise.all([thread.load(), thread.send('Hi')]);
    expect(shown(thread)).toEqual(['user done: Earlier', 'user done: Hi', 'assistant done: Hello']);
  });

  it('keeps what came before a lost connection, and asks again on retry', async () => {
    const thread = await interrupted();
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant failed: Hel']);
    expect(thread.state.entries[1]?.problem?.message).toContain('connection was lost');
    await retryLast(thread);
    expect(shown(thread)).toEqual([
      'user done: Hi',
      'assistant stopped: Hel',
      'user done: Hi',
      'assistant done: Hello',
    ]);
  });

  it('replaces a question that the server refused instead of doubling it', async () => {
    const thread = await refused();
    expect(shown(thread)).toEqual(['user failed: Hi', 'assistant failed: ']);
    await retryLast(thread);
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
  });

  it('stops without an error', async () => {
    server.on(SEND, (request) => {
      const open = openStream(request);
      open.write(begun('Hi', 'Hel'));
      return open.response;
    });
    const thread = newThread();
    const sending = thread.send('Hi');
    await vi.waitFor(() => expect(shown(thread).at(-1)).toBe('assistant streaming: Hel'));
    thread.stop();
    await sending;
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant stopped: Hel']);
    expect(thread.state.entries[1]?.problem).toBeNull();
  });

  it('sends one message at a time', async () => {
    const thread = newThread();
    await Promise.all([thread.send('Hi'), thread.send('Hi again')]);
    expect(server.received(SEND)).toHaveLength(1);
  });

  describe('loaded again', () => {
    it('moves nothing that is on the page', async () => {
      stored(message('q', 'user', 'Hi'), message('a', 'assistant', 'Hello'));
      const thread = newThread();
      await thread.send('Hi');
      const keys = thread.state.entries.map(({ key }) => key);
      await thread.load();
      expect(thread.state.entries.map(({ key }) => key)).toEqual(keys);
    });

    it('shows the part of an answer that the server has stored', async () => {
      const thread = await interrupted();
      stored(message('q', 'user', 'Hi'), message('a', 'assistant', 'Hel'));
      await thread.load();
      expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hel']);
    });

    it('keeps a failed answer that the server has no part of', async () => {
      const thread = await interrupted();
      stored(message('q', 'user', 'Hi'));
      await thread.load();
      expect(shown(thread)).toEqual(['user done: Hi', 'assistant failed: Hel']);
    });

    it('keeps a question that the server refused', async () => {
      const thread = await refused();
      stored(message('m0', 'user', 'Earlier'), message('m1', 'assistant', 'Answer'));
      await thread.load();
      expect(shown(thread).slice(2)).toEqual(['user failed: Hi', 'assistant failed: ']);
    });

    it('does not touch an answer that is being written', async () => {
      server.on(SEND, (request) => {
        const open = openStream(request);
        open.write(begun('Hi', 'Hel'));
        return open.response;
      });
      const thread = newThread();
      const sending = thread.send('Hi');
      await vi.waitFor(() => expect(shown(thread).at(-1)).toBe('assistant streaming: Hel'));
      await thread.load();
      expect(server.received('GET /api/conversations/c1/messages')).toHaveLength(0);
      expect(shown(thread).at(-1)).toBe('assistant streaming: Hel');
      thread.stop();
      await sending;
    });
  });

  it('reports a conversation that cannot be loaded', async () => {
    server.on('GET /api/conversations/c1', () => json({ detail: 'Not found.' }, 404));
    const thread = newThread();
    await thread.load();
    expect(thread.state.problem).toMatchObject({ message: 'Not found.', status: 404 });
    expect(thread.state.loading).toBe(false);
  });
});
