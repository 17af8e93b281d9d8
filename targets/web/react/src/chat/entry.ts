import type { Problem } from '../api/problem';
import type { Message } from '../api/schema';

/** `waiting` and `streaming` are under way; the others are final. */
export type EntryState = 'done' | 'waiting' | 'streaming' | 'stopped' | 'failed';

/** One message as the page shows it: stored by the server, or on its way. */
export interface Entry {
  readonly key: number;
  readonly role: Message['role'];
  readonly text: string;
  readonly state: EntryState;
  /** As stored by the server; null until it says so. */
  readonly message: Message | null;
  readonly problem: Problem | null;
}

let created = 0;

export function newEntry(role: Message['role'], text: string): Entry {
  return { key: created++, role, text, state: 'waiting', message: null, problem: null };
}

/** What an entry becomes once the server has stored it. */
export function settled(message: Message): Pick<Entry, 'text' | 'state' | 'message' | 'problem'> {
  return { text: message.content, state: 'done', message, problem: null };
}

export function isFinal({ state }: Entry): boolean {
  return state !== 'waiting' && state !== 'streaming';
}
