import { signal } from '@angular/core';

import { Problem } from '../api/problem';
import { Message } from '../api/schema';

/** `waiting` and `streaming` are under way; the others are final. */
export type EntryState = 'done' | 'waiting' | 'streaming' | 'stopped' | 'failed';

let created = 0;

/** One message as the page shows it: stored by the server, or on its way. */
export class Entry {
  readonly key = created++;
  /** As stored by the server; null until it says so. */
  readonly message = signal<Message | null>(null);
  readonly text = signal('');
  readonly state = signal<EntryState>('done');
  readonly problem = signal<Problem | null>(null);

  constructor(
    readonly role: Message['role'],
    text: string,
    state: EntryState = 'done',
  ) {
    this.text.set(text);
    this.state.set(state);
  }

  static of(message: Message): Entry {
    const entry = new Entry(message.role, message.content);
    entry.message.set(message);
    return entry;
  }

  isFinal(): boolean {
    return this.state() !== 'waiting' && this.state() !== 'streaming';
  }

  /** Take over what the server has stored. */
  settle(message: Message): void {
    this.message.set(message);
    this.text.set(message.content);
    this.state.set('done');
  }
}
