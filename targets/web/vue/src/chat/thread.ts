import { computed, reactive, ref, shallowRef } from 'vue';

import { streamAnswer } from '../api/answer-stream';
import { fetchConversation, fetchMessages } from '../api/chat-api';
import { Problem } from '../api/problem';
import type { Conversation, Message } from '../api/schema';
import { createEntry, entryOf, isFinal, settle, type Entry } from './entry';
import { createFramePacer } from './frame-pacer';

export type Thread = ReturnType<typeof createThread>;

/**
 * The messages of one conversation and the answer that is being written, if any.
 *
 * @param changed hears of the conversation with each message: the server titles it and moves it up
 */
export function createThread(id: string, changed: (conversation: Conversation) => void) {
  const conversation = shallowRef<Conversation | null>(null);
  const entries = shallowRef<readonly Entry[]>([]);
  const loading = ref(false);
  const problem = shallowRef<Problem | null>(null);
  const draft = ref('');
  const abort = shallowRef<AbortController | null>(null);
  const answering = computed(() => abort.value !== null);
  let loaded: Promise<void> = Promise.resolve();

  function load(): Promise<void> {
    loaded = fetchAll();
    return loaded;
  }

  async function fetchAll(): Promise<void> {
    loading.value = true;
    problem.value = null;
    try {
      const [found, messages] = await Promise.all([fetchConversation(id), fetchMessages(id)]);
      conversation.value = found;
      if (entries.value.every(isFinal)) {
        show(messages);
      }
    } catch (error) {
      problem.value = Problem.of(error);
    } finally {
      loading.value = false;
    }
  }

  /** Entries that are already on the page stay the same objects, so that loading again moves nothing. */
  function show(messages: readonly Message[]): void {
    const shown = new Map(entries.value.map((entry) => [entry.message?.id, entry]));
    const stored = messages.map((message) => {
      const entry = shown.get(message.id);
      if (!entry) {
        return entryOf(message);
      }
      settle(entry, message);
      return entry;
    });
    entries.value = [...stored, ...unanswered(stored.at(-1))];
  }

  /** An answer that the server has no part of stays on the page with its Retry; so does a question that it refused. */
  function unanswered(lastStored: Entry | undefined): Entry[] {
    const [question, answer] = entries.value.slice(-2);
    if (!question || answer?.role !== 'assistant' || answer.message) {
      return [];
    }
    if (lastStored?.role === 'user' && lastStored.text === question.text) {
      return [answer];
    }
    return question.message ? [] : [question, answer];
  }

  /** Sends a message and shows its answer as it is written; resolves when that is over, whatever the outcome. */
  async function send(content: string): Promise<void> {
    if (answering.value) {
      return;
    }
    const controller = (abort.value = new AbortController());
    const question = createEntry('user', content, 'waiting');
    const answer = createEntry('assistant', '', 'waiting');
    await loaded;
    entries.value = [...entries.value, question, answer];
    try {
      await receive(question, answer, controller.signal);
    } catch (error) {
      interrupted(question, answer, controller.signal.aborted ? null : Problem.of(error));
    } finally {
      abort.value = null;
    }
  }

  async function receive(question: Entry, answer: Entry, signal: AbortSignal): Promise<void> {
    let text = '';
    const pacer = createFramePacer(() => {
      answer.text = text;
      answer.state = 'streaming';
    });
    try {
      for await (const event of streamAnswer(id, question.text, signal)) {
        switch (event.type) {
          case 'message':
            settle(question, event.message);
            // titled by its first message, and the last updated
            conversation.value = event.conversation;
            changed(event.conversation);
            break;
          case 'token':
            text += event.text;
            pacer.request();
            break;
          case 'done':
            pacer.cancel();
            settle(answer, event.message);
        }
      }
    } finally {
      pacer.finish();
    }
  }

  /** @param failure null when the user stopped the answer */
  function interrupted(question: Entry, answer: Entry, failure: Problem | null): void {
    answer.state = failure ? 'failed' : 'stopped';
    answer.problem = failure;
    if (!question.message) {
      question.state = answer.state;
    }
  }

  /** Sends the question of a failed answer again; one that the server never stored is replaced, not doubled. */
  async function retry(answer: Entry): Promise<void> {
    const question = entries.value[entries.value.indexOf(answer) - 1];
    if (!question || answering.value) {
      return;
    }
    const gone = new Set<Entry>();
    if (!question.message) {
      gone.add(question);
    }
    if (answer.text) {
      answer.problem = null;
      answer.state = 'stopped';
    } else {
      gone.add(answer);
    }
    entries.value = entries.value.filter((entry) => !gone.has(entry));
    await send(question.text);
  }

  function replace(message: Message): void {
    const entry = entries.value.find((candidate) => candidate.message?.id === message.id);
    if (entry) {
      settle(entry, message);
    }
  }

  return reactive({
    id,
    conversation,
    entries,
    loading,
    problem,
    draft,
    answering,
    load,
    send,
    stop: () => abort.value?.abort(),
    retry,
    replace,
  });
}
