import { Component, ElementRef, computed, input, model, output, viewChild } from '@angular/core';

import { MAX_MESSAGE_CHARS } from '../api/chat-api';
import { Icon } from '../icon';

/** From here on the count of characters is shown. */
const NEARLY_FULL = 0.9 * MAX_MESSAGE_CHARS;

@Component({
  selector: 'app-composer',
  imports: [Icon],
  host: { class: 'composer' },
  template: `
    <form (submit)="$event.preventDefault(); submit()">
      <textarea
        #box
        id="message"
        name="message"
        rows="1"
        dir="auto"
        aria-label="Message"
        placeholder="Message"
        autocomplete="off"
        [value]="text()"
        (input)="text.set(box.value)"
        (keydown.enter)="onEnter($event)"
      ></textarea>
      @if (answering()) {
        <button type="button" class="round" aria-label="Stop" title="Stop" (click)="stop.emit()">
          <app-icon name="stop" />
        </button>
      } @else {
        <button type="submit" class="round" aria-label="Send" title="Send" [disabled]="!sendable()">
          <app-icon name="send" />
        </button>
      }
    </form>
    <p class="hint" [class.over]="tooLong()" [attr.role]="tooLong() ? 'alert' : null">
      @if (length() > nearlyFull) {
        {{ length().toLocaleString('en') }} of {{ limit.toLocaleString('en') }} characters{{
          tooLong() ? ': shorten the message to send it' : ''
        }}
      } @else {
        Enter sends, Shift + Enter starts a new line
      }
    </p>
  `,
})
export class Composer {
  readonly text = model.required<string>();
  readonly answering = input(false);
  readonly busy = input(false);
  readonly send = output<string>();
  readonly stop = output();

  protected readonly limit = MAX_MESSAGE_CHARS;
  protected readonly nearlyFull = NEARLY_FULL;
  /** In code points, as the server counts. */
  protected readonly length = computed(() =>
    this.text().length > NEARLY_FULL ? [...this.text()].length : this.text().length,
  );
  protected readonly tooLong = computed(() => this.length() > MAX_MESSAGE_CHARS);
  protected readonly sendable = computed(() => !this.busy() && !this.tooLong() && this.text().trim() !== '');

  private readonly box = viewChild.required<ElementRef<HTMLTextAreaElement>>('box');

  focus(): void {
    this.box().nativeElement.focus({ preventScroll: true });
  }

  protected onEnter(event: Event): void {
    const { shiftKey, isComposing } = event as KeyboardEvent;
    // an input method's Enter accepts a candidate; it does not end the message
    if (!shiftKey && !isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  protected submit(): void {
    if (this.sendable() && !this.answering()) {
      this.send.emit(this.text());
    }
  }
}
