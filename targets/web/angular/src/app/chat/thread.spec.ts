import { EMPTY, of, throwError } from 'rxjs';
import { vi } from 'vitest';

import { AnswerEvent, AnswerStream } from '../api/answer-stream';
import { ChatApi } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Conversation, Message } from '../api/schema';
import { Thread } from './thread';

const CONVERSATION: Conversation = {
  id: 'c1',
  title: 'T',
  created_at: '2025-04-08T08:00:00Z',
  updated_at: '2025-04-08T08:00:00Z',
};

/** As the server has it with the first message. */
const TITLED: Conversation = { ...CONVERSATION, title: 'Hi', updated_at: '2025-04-08T08:01:00Z' };

function message(id: string, role: Message['role'], content: string): Message {
  return { id, role, content, created_at: '2025-04-08T08:00:00Z', hidden: false, feedback: null };
}

type Script = (content: string, signal: AbortSignal) => AsyncGenerator<AnswerEvent>;

function threadWith(
  script: Script,
  stored: Message[] = [],
  changed: (conversation: Conversation) => void = () => undefined,
): Thread {
  const api = { conversation: () => of(CONVERSATION), messages: () => of(stored) } as unknown as ChatApi;
  const answers = {
    send: (_id: string, content: string, signal: AbortSignal) => script(content, signal),
  } as AnswerStream;
  return new Thread('c1', api, answers, changed);
}

const shown = (thread: Thread): string[] =>
  thread.entries().map((entry) => `${entry.role} ${entry.state()}: ${entry.text()}`);

async function* complete(content: string): AsyncGenerator<AnswerEvent> {
  yield { type: 'message', message: message('m1', 'user', content), conversation: TITLED };
  yield { type: 'token', text: 'Hel' };
  yield { type: 'token', text: 'lo' };
  yield { type: 'done', message: message('m2', 'assistant', 'Hello') };
}

describe('Thread', () => {
  it('shows the question, then the answer as stored', async () => {
    const thread = threadWith(complete);
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
    expect(thread.answering()).toBe(false);
  });

  it('takes its title from the answer to the first message, and asks for nothing more', async () => {
    const changed = vi.fn();
    const thread = threadWith(complete, [], changed);
    thread.conversation.set(CONVERSATION);
    await thread.send('Hi');
    expect(thread.conversation()).toEqual(TITLED);
    expect(changed).toHaveBeenCalledExactlyOnceWith(TITLED);
  });

  it('keeps the history when a message is sent before it has loaded', async () => {
    const thread = threadWith(complete, [message('m0', 'user', 'Earlier')]);
    await Promise.all([thread.load(), thread.send('Hi')]);
    expect(shown(thread)).toEqual(['user done: Earlier', 'user done: Hi', 'assistant done: Hello']);
  });

  it('keeps what went wrong when it loads again', async () => {
    const thread = threadWith(
      async function* () {
        throw new Problem('Too many messages.', 429, 3);
      },
      [message('m0', 'user', 'Hi')],
    );
    await thread.send('Hi');
    await thread.load();
    expect(thread.entries().at(-1)?.problem()?.message).toBe('Too many messages.');
  });

  it('keeps what came before a lost connection and offers to retry', async () => {
    let attempts = 0;
    const thread = threadWith(async function* (content) {
      if (++attempts === 2) {
        yield* complete(content);
        return;
      }
      yield { type: 'message', message: message('m1', 'user', content), conversation: TITLED };
      yield { type: 'token', text: 'Hel' };
      throw Problem.connectionLost();
    });
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant failed: Hel']);
    expect(thread.entries()[1]?.problem()?.message).toContain('connection was lost');

    await thread.retry(thread.entries()[1]!);
    expect(shown(thread).slice(2)).toEqual(['user done: Hi', 'assistant done: Hello']);
  });

  it('replaces a question that the server refused instead of doubling it', async () => {
    let attempts = 0;
    const thread = threadWith(async function* (content) {
      if (++attempts === 1) {
        throw new Problem('Too many messages.', 429, 3);
      }
      yield* complete(content);
    });
    await thread.send('Hi');
    expect(shown(thread)).toEqual(['user failed: Hi', 'assistant failed: ']);
    await thread.retry(thread.entries()[1]!);
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant done: Hello']);
  });

  it('stops without an error', async () => {
    const thread = threadWith(async function* (content, signal) {
      yield { type: 'message', message: message('m1', 'user', content), conversation: TITLED };
      yield { type: 'token', text: 'Hel' };
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const sending = thread.send('Hi');
    await vi.waitFor(() => expect(thread.entries()[1]?.state()).toBe('streaming'));
    thread.stop();
    await sending;
    expect(shown(thread)).toEqual(['user done: Hi', 'assistant stopped: Hel']);
    expect(thread.entries()[1]?.problem()).toBeNull();
  });

  it('reports a conversation that cannot be loaded', async () => {
    const api = {
      conversation: () => throwError(() => new Problem('Not found.', 404)),
      messages: () => EMPTY,
    } as unknown as ChatApi;
    const thread = new Thread('c1', api, {} as AnswerStream, () => undefined);
    await thread.load();
    expect(thread.problem()?.message).toBe('Not found.');
  });
});
