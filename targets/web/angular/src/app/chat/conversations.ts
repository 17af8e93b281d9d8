import { Injectable, OnDestroy, computed, inject, signal } from '@angular/core';
import { Subscription, firstValueFrom } from 'rxjs';

import { AnswerStream } from '../api/answer-stream';
import { ChatApi } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Conversation } from '../api/schema';
import { Thread } from './thread';

/** A user's conversations: the list as far as it is loaded, and the threads that were opened. */
@Injectable()
export class Conversations implements OnDestroy {
  private readonly api = inject(ChatApi);
  private readonly answers = inject(AnswerStream);
  private readonly threads = new Map<string, Thread>();
  private request: Subscription | null = null;
  private page = 0;

  readonly items = signal<readonly Conversation[]>([]);
  readonly query = signal('');
  /** What is being written before there is a conversation. */
  readonly draft = signal('');
  readonly loading = signal(false);
  readonly problem = signal<Problem | null>(null);
  private readonly more = signal(false);
  readonly hasMore = computed(() => this.more() && !this.loading());

  ngOnDestroy(): void {
    this.request?.unsubscribe();
    this.threads.forEach((thread) => thread.stop());
  }

  search(query: string): void {
    this.query.set(query);
    this.load(1);
  }

  loadMore(): void {
    this.load(this.page + 1);
  }

  retry(): void {
    this.load(this.page || 1);
  }

  /** The thread of a conversation; one whose answer is still being written goes on in the background. */
  open(id: string): Thread {
    let thread = this.threads.get(id);
    if (!thread) {
      thread = new Thread(id, this.api, this.answers, (conversation) => this.moveToTop(conversation));
      this.threads.set(id, thread);
      void thread.load();
    } else if (!thread.answering()) {
      void thread.load();
    }
    return thread;
  }

  /** Create a conversation on the server, its thread empty and ready for the first message. */
  async create(): Promise<Thread> {
    const conversation = await firstValueFrom(this.api.createConversation());
    const thread = new Thread(conversation.id, this.api, this.answers, (changed) => this.moveToTop(changed));
    thread.conversation.set(conversation);
    this.threads.set(conversation.id, thread);
    this.moveToTop(conversation);
    return thread;
  }

  async rename(id: string, title: string): Promise<void> {
    const renamed = await firstValueFrom(this.api.renameConversation(id, title));
    this.threads.get(id)?.conversation.set(renamed);
    this.items.update((items) => items.map((item) => (item.id === id ? renamed : item)));
  }

  async remove(id: string): Promise<void> {
    await firstValueFrom(this.api.deleteConversation(id));
    this.threads.get(id)?.stop();
    this.threads.delete(id);
    this.items.update((items) => items.filter((item) => item.id !== id));
  }

  private moveToTop(conversation: Conversation): void {
    const present = this.items().some((item) => item.id === conversation.id);
    if (present || !this.query()) {
      this.items.update((items) => [conversation, ...items.filter((item) => item.id !== conversation.id)]);
    }
  }

  private load(page: number): void {
    this.request?.unsubscribe();
    this.loading.set(true);
    this.problem.set(null);
    this.request = this.api.conversations(this.query(), page).subscribe({
      next: (result) => {
        const before = page === 1 ? [] : this.items();
        // a conversation begun since the first page pushes others onto the next one
        const known = new Set(before.map((item) => item.id));
        this.items.set([...before, ...result.results.filter((item) => !known.has(item.id))]);
        this.page = page;
        this.more.set(result.next !== null);
        this.loading.set(false);
      },
      error: (error: unknown) => {
        this.problem.set(Problem.from(error));
        this.loading.set(false);
      },
    });
  }
}
