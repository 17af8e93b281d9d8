import {
  Component,
  DestroyRef,
  ElementRef,
  afterNextRender,
  computed,
  effect,
  inject,
  input,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { Title } from '@angular/platform-browser';
import { Router } from '@angular/router';

import { Problem } from '../api/problem';
import { Icon } from '../icon';
import { Composer } from './composer';
import { ConversationMenu } from './conversation-menu';
import { Conversations } from './conversations';
import { MessageView } from './message-view';
import { Thread } from './thread';

/** Closer to the end than this, the page keeps showing the newest text. */
const FOLLOW_PX = 80;

@Component({
  selector: 'app-conversation-page',
  imports: [Composer, ConversationMenu, Icon, MessageView],
  host: { class: 'page' },
  templateUrl: './conversation-page.html',
})
export class ConversationPage {
  private readonly conversations = inject(Conversations);
  private readonly router = inject(Router);

  /** Route parameter; absent for a conversation that begins with the first message. */
  readonly id = input<string>();

  protected readonly thread = signal<Thread | null>(null);
  protected readonly creating = signal(false);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly following = signal(true);
  protected readonly draft = computed(() => this.thread()?.draft ?? this.conversations.draft);
  protected readonly announcement = computed(() => this.announce());

  private readonly scroller = viewChild.required<ElementRef<HTMLElement>>('scroller');
  private readonly content = viewChild.required<ElementRef<HTMLElement>>('content');
  private readonly composer = viewChild.required(Composer);
  private lastTop = 0;

  constructor() {
    const title = inject(Title);
    effect(() => {
      const id = this.id();
      untracked(() => this.show(id));
    });
    effect(() => title.setTitle(this.thread()?.conversation()?.title || 'New conversation'));

    const resized = new ResizeObserver(() => this.following() && this.toEnd());
    inject(DestroyRef).onDestroy(() => resized.disconnect());
    afterNextRender(() => {
      resized.observe(this.content().nativeElement);
      resized.observe(this.scroller().nativeElement);
    });
  }

  protected async send(content: string): Promise<void> {
    const draft = this.draft();
    draft.set('');
    this.composer().focus();
    this.follow();
    const thread = this.thread();
    if (thread) {
      await thread.send(content);
    } else if (!(await this.begin(content))) {
      draft.set(content);
    }
  }

  protected stop(): void {
    this.thread()?.stop();
    this.composer().focus();
  }

  protected onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller().nativeElement;
    const distance = scrollHeight - clientHeight - scrollTop;
    // text that grows faster than it is followed also leaves a distance; only moving up is a wish to stay
    if (distance < FOLLOW_PX) {
      this.following.set(true);
    } else if (scrollTop < this.lastTop) {
      this.following.set(false);
    }
    this.lastTop = scrollTop;
  }

  protected follow(): void {
    this.following.set(true);
    this.toEnd();
  }

  private show(id: string | undefined): void {
    this.thread.set(id ? this.conversations.open(id) : null);
    this.problem.set(null);
    this.following.set(true);
    this.composer().focus();
  }

  private async begin(content: string): Promise<boolean> {
    this.creating.set(true);
    this.problem.set(null);
    try {
      const thread = await this.conversations.create();
      void thread.send(content);
      await this.router.navigate(['/c', thread.id], { replaceUrl: true });
      return true;
    } catch (error) {
      this.problem.set(Problem.from(error));
      return false;
    } finally {
      this.creating.set(false);
    }
  }

  private toEnd(): void {
    const scroller = this.scroller().nativeElement;
    scroller.scrollTop = scroller.scrollHeight;
    this.lastTop = scroller.scrollTop;
  }

  /** For screen readers: that an answer began and ended, not each token. */
  private announce(): string {
    switch (this.thread()?.entries().at(-1)?.state()) {
      case 'waiting':
      case 'streaming':
        return 'The assistant is answering.';
      case 'stopped':
        return 'The answer was stopped.';
      default:
        return '';
    }
  }
}
