import { shallowReactive } from 'vue';

import type { Problem } from '../api/problem';
import type { Message } from '../api/schema';

/** `waiting` and `streaming` are under way; the others are final. */
export type EntryState = 'done' | 'waiting' | 'streaming' | 'stopped' | 'failed';

/** One message as the page shows it: stored by the server, or on its way. */
export interface Entry {
  readonly key: number;
  readonly role: Message['role'];
  /** As stored by the server; null until it says so. */
  message: Message | null;
  text: string;
  state: EntryState;
  problem: Problem | null;
}

let created = 0;

export function createEntry(role: Message['role'], text: string, state: EntryState): Entry {
  return shallowReactive({ key: created++, role, message: null, text, state, problem: null });
}

export function entryOf(message: Message): Entry {
  const entry = createEntry(message.role, message.content, 'done');
  entry.message = message;
  return entry;
}

/** Takes over what the server has stored. */
export function settle(entry: Entry, message: Message): void {
  Object.assign(entry, { message, text: message.content, state: 'done', problem: null } satisfies Partial<Entry>);
}

export function isFinal({ state }: Entry): boolean {
  return state !== 'waiting' && state !== 'streaming';
}
