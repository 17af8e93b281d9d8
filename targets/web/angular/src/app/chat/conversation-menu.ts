import { Component, ElementRef, computed, inject, input, signal, viewChild } from '@angular/core';
import { Router } from '@angular/router';

import { conversationUrl } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Conversation } from '../api/schema';
import { Icon } from '../icon';
import { Conversations } from './conversations';

/** Rename, export and delete for the conversation on the page. */
@Component({
  selector: 'app-conversation-menu',
  imports: [Icon],
  template: `
    <button
      type="button"
      class="icon-button menu-anchor"
      popovertarget="conversation-menu"
      aria-label="Conversation options"
      title="Conversation options"
    >
      <app-icon name="more" />
    </button>
    <div #menu id="conversation-menu" class="menu" popover role="group" aria-label="Conversation options">
      <button type="button" (click)="open(renameBox)">Rename</button>
      <a download [href]="exportUrl() + 'json'" (click)="close()">Export as JSON</a>
      <a download [href]="exportUrl() + 'markdown'" (click)="close()">Export as Markdown</a>
      <button type="button" class="danger" (click)="open(deleteBox)">Delete</button>
    </div>

    <dialog #renameBox class="card" aria-labelledby="rename-heading">
      <form (submit)="$event.preventDefault(); rename(title.value)">
        <h2 id="rename-heading">Rename conversation</h2>
        <label class="field"
          >Title <input #title dir="auto" required maxlength="200" autocomplete="off" [value]="conversation().title"
        /></label>
        @if (problem(); as problem) {
          <div class="alert" role="alert">{{ problem.message }}</div>
        }
        <div class="choices">
          <button type="button" class="button" (click)="renameBox.close()">Cancel</button>
          <button type="submit" class="button primary" [disabled]="busy()">Save</button>
        </div>
      </form>
    </dialog>

    <dialog #deleteBox class="card" role="alertdialog" aria-labelledby="delete-heading" aria-describedby="delete-text">
      <h2 id="delete-heading">Delete conversation?</h2>
      <p id="delete-text">
        <b dir="auto">{{ conversation().title || 'New conversation' }}</b> and its messages will be gone for good.
      </p>
      @if (problem(); as problem) {
        <div class="alert" role="alert">{{ problem.message }}</div>
      }
      <div class="choices">
        <button type="button" class="button" (click)="deleteBox.close()">Cancel</button>
        <button type="button" class="button danger" [disabled]="busy()" (click)="remove()">Delete</button>
      </div>
    </dialog>
  `,
})
export class ConversationMenu {
  private readonly conversations = inject(Conversations);
  private readonly router = inject(Router);

  readonly conversation = input.required<Conversation>();

  protected readonly busy = signal(false);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly exportUrl = computed(() => `${conversationUrl(this.conversation().id)}/export?format=`);

  private readonly menu = viewChild.required<ElementRef<HTMLElement>>('menu');
  private readonly renameDialog = viewChild.required<ElementRef<HTMLDialogElement>>('renameBox');
  private readonly deleteDialog = viewChild.required<ElementRef<HTMLDialogElement>>('deleteBox');

  protected close(): void {
    this.menu().nativeElement.hidePopover();
  }

  protected open(dialog: HTMLDialogElement): void {
    this.close();
    this.problem.set(null);
    dialog.showModal();
  }

  protected async rename(title: string): Promise<void> {
    if (await this.attempt(() => this.conversations.rename(this.conversation().id, title.trim()))) {
      this.renameDialog().nativeElement.close();
    }
  }

  protected async remove(): Promise<void> {
    if (await this.attempt(() => this.conversations.remove(this.conversation().id))) {
      this.deleteDialog().nativeElement.close();
      await this.router.navigateByUrl('/');
    }
  }

  private async attempt(action: () => Promise<void>): Promise<boolean> {
    this.busy.set(true);
    this.problem.set(null);
    try {
      await action();
      return true;
    } catch (error) {
      this.problem.set(Problem.from(error));
      return false;
    } finally {
      this.busy.set(false);
    }
  }
}
