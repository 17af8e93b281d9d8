import { computed, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';

import { AnswerStream } from '../api/answer-stream';
import { ChatApi } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Conversation, Message } from '../api/schema';
import { Entry } from './entry';
import { FramePacer } from './frame-pacer';

/** The messages of one conversation and the answer that is being written, if any. */
export class Thread {
  readonly conversation = signal<Conversation | null>(null);
  readonly entries = signal<readonly Entry[]>([]);
  readonly loading = signal(false);
  readonly problem = signal<Problem | null>(null);
  readonly draft = signal('');

  private loaded: Promise<void> = Promise.resolve();
  private readonly abort = signal<AbortController | null>(null);
  readonly answering = computed(() => this.abort() !== null);

  constructor(
    readonly id: string,
    private readonly api: ChatApi,
    private readonly answers: AnswerStream,
    private readonly changed: (conversation: Conversation) => void,
  ) {}

  load(): Promise<void> {
    this.loaded = this.fetch();
    return this.loaded;
  }

  /** Send a message and show its answer as it is written; resolves when that is over, whatever the outcome. */
  async send(content: string): Promise<void> {
    if (this.answering()) {
      return;
    }
    const abort = new AbortController();
    const question = new Entry('user', content, 'waiting');
    const answer = new Entry('assistant', '', 'waiting');
    this.abort.set(abort);
    await this.loaded;
    this.entries.update((entries) => [...entries, question, answer]);
    try {
      await this.receive(question, answer, abort.signal);
    } catch (error) {
      this.interrupted(question, answer, abort.signal.aborted ? null : Problem.from(error));
    } finally {
      this.abort.set(null);
    }
  }

  stop(): void {
    this.abort()?.abort();
  }

  /** Send the question of a failed answer again; one that the server never stored is replaced, not doubled. */
  async retry(answer: Entry): Promise<void> {
    const entries = this.entries();
    const index = entries.indexOf(answer);
    const question = entries[index - 1];
    if (!question || this.answering()) {
      return;
    }
    const dropped = new Set<Entry>();
    if (!question.message()) {
      dropped.add(question);
    }
    if (!answer.text()) {
      dropped.add(answer);
    } else {
      answer.problem.set(null);
      answer.state.set('stopped');
    }
    this.entries.set(entries.filter((entry) => !dropped.has(entry)));
    await this.send(question.text());
  }

  replace(message: Message): void {
    const entry = this.entries().find((candidate) => candidate.message()?.id === message.id);
    entry?.settle(message);
  }

  private async fetch(): Promise<void> {
    this.loading.set(true);
    this.problem.set(null);
    try {
      const [conversation, messages] = await Promise.all([
        firstValueFrom(this.api.conversation(this.id)),
        firstValueFrom(this.api.messages(this.id)),
      ]);
      this.conversation.set(conversation);
      if (this.entries().every((entry) => entry.isFinal())) {
        this.show(messages);
      }
    } catch (error) {
      this.problem.set(Problem.from(error));
    } finally {
      this.loading.set(false);
    }
  }

  /** Entries that are already on the page stay the same objects, so that reloading moves nothing. */
  private show(messages: readonly Message[]): void {
    const shown = new Map(this.entries().map((entry) => [entry.message()?.id, entry]));
    const stored = messages.map((message) => {
      const entry = shown.get(message.id);
      entry?.settle(message);
      return entry ?? Entry.of(message);
    });
    this.entries.set([...stored, ...this.unanswered(stored.at(-1))]);
  }

  /** An answer that the server has no part of stays on the page with its Retry; so does a question that it refused. */
  private unanswered(lastStored: Entry | undefined): Entry[] {
    const [question, answer] = this.entries().slice(-2);
    if (!question || answer?.role !== 'assistant' || answer.message()) {
      return [];
    }
    if (lastStored?.role === 'user' && lastStored.text() === question.text()) {
      return [answer];
    }
    return question.message() ? [] : [question, answer];
  }

  private async receive(question: Entry, answer: Entry, signal: AbortSignal): Promise<void> {
    let text = '';
    const pacer = new FramePacer(() => answer.text.set(text));
    try {
      for await (const event of this.answers.send(this.id, question.text(), signal)) {
        switch (event.type) {
          case 'message':
            question.settle(event.message);
            // titled by its first message, and the last updated
            this.conversation.set(event.conversation);
            this.changed(event.conversation);
            break;
          case 'token':
            text += event.text;
            answer.state.set('streaming');
            pacer.request();
            break;
          case 'done':
            pacer.cancel();
            answer.settle(event.message);
        }
      }
    } catch (error) {
      pacer.flush();
      throw error;
    }
  }

  /** @param problem null when the user stopped the answer */
  private interrupted(question: Entry, answer: Entry, problem: Problem | null): void {
    const state = problem ? 'failed' : 'stopped';
    answer.state.set(state);
    answer.problem.set(problem);
    if (!question.message()) {
      question.state.set(state);
    }
  }
}
