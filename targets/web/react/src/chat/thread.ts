import { streamAnswer } from '../api/answer';
import { getConversation, listMessages } from '../api/chat-api';
import { asProblem, type Problem } from '../api/problem';
import type { Conversation, Message } from '../api/schema';
import { Store } from '../store';
import { type Entry, isFinal, newEntry, settled } from './entry';
import { FramePacer } from './frame-pacer';

interface ThreadState {
  conversation: Conversation | null;
  entries: readonly Entry[];
  loading: boolean;
  problem: Problem | null;
  answering: boolean;
}

/**
 * The messages of one conversation and the answer that is being written, if any.
 *
 * Entries are replaced, never changed: a component that holds one renders again only when that one differs.
 */
export class Thread extends Store<ThreadState> {
  readonly id: string;
  private readonly changed: (conversation: Conversation) => void;
  private loaded: Promise<void> = Promise.resolve();
  private abort: AbortController | null = null;

  /** @param isNew whether the server has no message in it yet */
  constructor(
    id: string,
    conversation: Conversation | null,
    changed: (conversation: Conversation) => void,
    isNew = false,
  ) {
    super({ conversation, entries: [], loading: !isNew, problem: null, answering: false });
    this.id = id;
    this.changed = changed;
  }

  /** Fetch what the server has, unless an answer is being written: that one is ahead of the server. */
  load(): Promise<void> {
    if (!this.state.answering) {
      this.loaded = this.fetch();
    }
    return this.loaded;
  }

  /** Send a message and show its answer as it is written; resolves when that is over, whatever the outcome. */
  async send(content: string): Promise<void> {
    if (this.state.answering) {
      return;
    }
    const abort = (this.abort = new AbortController());
    const question = newEntry('user', content);
    const answer = newEntry('assistant', '');
    this.set({ answering: true });
    await this.loaded;
    this.set({ entries: [...this.state.entries, question, answer] });
    try {
      await this.receive(question, answer, abort.signal);
    } catch (error) {
      this.interrupted(question, answer, abort.signal.aborted ? null : asProblem(error));
    } finally {
      this.set({ answering: false });
    }
  }

  stop(): void {
    this.abort?.abort();
  }

  /** Send the question of a failed answer again; one that the server never stored is replaced, not doubled. */
  async retry(answer: Entry): Promise<void> {
    const { entries, answering } = this.state;
    const question = entries[entries.indexOf(answer) - 1];
    if (!question || answering) {
      return;
    }
    const kept = entries.filter((entry) => (entry === question ? entry.message : entry !== answer || entry.text));
    this.set({ entries: kept });
    this.edit(answer, { state: 'stopped', problem: null });
    await this.send(question.text);
  }

  rename(conversation: Conversation): void {
    this.set({ conversation });
  }

  /** Take over what the server stored after a thumb or a moderator's decision. */
  replace(message: Message): void {
    const entry = this.state.entries.find((candidate) => candidate.message?.id === message.id);
    if (entry) {
      this.edit(entry, settled(message));
    }
  }

  private entry({ key }: Entry): Entry | undefined {
    return this.state.entries.find((entry) => entry.key === key);
  }

  private edit({ key }: Entry, change: Partial<Entry>): void {
    this.set({ entries: this.state.entries.map((entry) => (entry.key === key ? { ...entry, ...change } : entry)) });
  }

  private async fetch(): Promise<void> {
    this.set({ loading: true, problem: null });
    try {
      const [conversation, messages] = await Promise.all([getConversation(this.id), listMessages(this.id)]);
      this.set({ conversation });
      if (this.state.entries.every(isFinal)) {
        this.show(messages);
      }
    } catch (error) {
      this.set({ problem: asProblem(error) });
    } finally {
      this.set({ loading: false });
    }
  }

  /** Messages that are on the page already keep their keys. */
  private show(messages: readonly Message[]): void {
    const shown = new Map(this.state.entries.map((entry) => [entry.message?.id, entry]));
    const stored = messages.map((message) => ({
      ...(shown.get(message.id) ?? newEntry(message.role, '')),
      ...settled(message),
    }));
    this.set({ entries: [...stored, ...this.unanswered(stored.at(-1))] });
  }

  /** An answer that the server has no part of stays on the page with its Retry; so does a question that it refused. */
  private unanswered(lastStored: Entry | undefined): Entry[] {
    const [question, answer] = this.state.entries.slice(-2);
    if (!question || answer?.role !== 'assistant' || answer.message) {
      return [];
    }
    if (lastStored?.role === 'user' && lastStored.text === question.text) {
      return [answer];
    }
    return question.message ? [] : [question, answer];
  }

  private async receive(question: Entry, answer: Entry, signal: AbortSignal): Promise<void> {
    let text = '';
    const paint = (): void => this.edit(answer, { text, state: text ? 'streaming' : 'waiting' });
    const pacer = new FramePacer(paint);
    try {
      for await (const event of streamAnswer(this.id, question.text, signal)) {
        switch (event.type) {
          case 'message':
            this.edit(question, settled(event.message));
            // titled by its first message, and the last updated
            this.set({ conversation: event.conversation });
            this.changed(event.conversation);
            break;
          case 'token':
            text += event.text;
            pacer.request();
            break;
          case 'done':
            pacer.cancel();
            this.edit(answer, settled(event.message));
        }
      }
    } catch (error) {
      pacer.cancel();
      paint();
      throw error;
    }
  }

  /** @param problem null when the user stopped the answer */
  private interrupted(question: Entry, answer: Entry, problem: Problem | null): void {
    const state = problem ? 'failed' : 'stopped';
    this.edit(answer, { state, problem });
    if (!this.entry(question)?.message) {
      this.edit(question, { state });
    }
  }
}
