import { Component, computed, inject, input, output, signal } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { Auth } from '../api/auth';
import { ChatApi } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Feedback, Message } from '../api/schema';
import { Icon } from '../icon';
import { Entry } from './entry';
import { MarkdownBlocks } from './markdown';

/** Longer questions are folded, so that a pasted document does not bury the conversation. */
const FOLD_CHARS = 2_000;
const COPIED_MS = 1_500;

/** One question or answer. Answers are Markdown; what a user wrote is shown as it was written. */
@Component({
  selector: 'article[appMessage]',
  imports: [Icon],
  host: {
    '[class]': '"message " + entry().role',
    '[class.hidden-answer]': 'entry().message()?.hidden',
    '[attr.aria-label]': 'entry().role === "user" ? "You" : "Assistant"',
    '[attr.aria-busy]': '!entry().isFinal()',
  },
  templateUrl: './message-view.html',
})
export class MessageView {
  private readonly api = inject(ChatApi);
  protected readonly auth = inject(Auth);

  readonly entry = input.required<Entry>();
  readonly retry = output();
  readonly changed = output<Message>();

  protected readonly choices = [
    { value: 'up', label: 'Good answer', icon: 'thumbsUp' },
    { value: 'down', label: 'Bad answer', icon: 'thumbsDown' },
  ] as const;

  protected readonly expanded = signal(false);
  protected readonly copied = signal(false);
  protected readonly actionProblem = signal<Problem | null>(null);
  protected readonly long = computed(() => this.entry().text().length > FOLD_CHARS);
  protected readonly clipped = computed(() => this.long() && !this.expanded());

  /** In code points, as the composer counts. */
  protected readonly length = computed(() => [...this.entry().text()].length);
  /** Without half a character at the cut. */
  protected readonly beginning = computed(
    () =>
      `${this.entry()
        .text()
        .slice(0, FOLD_CHARS)
        .replace(/[\uD800-\uDBFF]$/, '')}…`,
  );

  private readonly markdown = new MarkdownBlocks();
  protected readonly blocks = computed(() => this.markdown.render(this.entry().text()));

  protected async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.copied.set(true);
      setTimeout(() => this.copied.set(false), COPIED_MS);
    } catch {
      this.actionProblem.set(new Problem('The browser does not let this page write to the clipboard.'));
    }
  }

  /** Choosing the same again takes it back. */
  protected rate(message: Message, value: Feedback): Promise<void> {
    return this.change(this.api.rate(message.id, message.feedback === value ? null : value));
  }

  protected hide(message: Message): Promise<void> {
    return this.change(this.api.hide(message.id, !message.hidden));
  }

  private async change(request: Observable<Message>): Promise<void> {
    this.actionProblem.set(null);
    try {
      this.changed.emit(await firstValueFrom(request));
    } catch (error) {
      this.actionProblem.set(Problem.from(error));
    }
  }
}
