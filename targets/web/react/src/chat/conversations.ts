import { createContext, use } from 'react';

import { createConversation, deleteConversation, listConversations, renameConversation } from '../api/chat-api';
import type { Conversation } from '../api/schema';
import { PagedList } from '../paged-list';
import { Thread } from './thread';

/** A user's conversations: the list as far as it is loaded, the threads that were opened, what is half written. */
export class Conversations {
  readonly list = new PagedList(listConversations);
  /** By conversation id; `undefined` for the one that begins with the first message. */
  readonly drafts = new Map<string | undefined, string>();
  private readonly threads = new Map<string, Thread>();

  /** The thread of a conversation; an answer that is being written goes on when another one is opened. */
  thread(id: string): Thread {
    let thread = this.threads.get(id);
    if (!thread) {
      const listed = this.list.state.items.find((conversation) => conversation.id === id) ?? null;
      thread = new Thread(id, listed, this.moveToTop);
      this.threads.set(id, thread);
    }
    return thread;
  }

  /** Create a conversation on the server, its thread empty and ready for the first message. */
  async create(): Promise<Thread> {
    const conversation = await createConversation();
    const thread = new Thread(conversation.id, conversation, this.moveToTop, true);
    this.threads.set(conversation.id, thread);
    this.moveToTop(conversation);
    return thread;
  }

  async rename(id: string, title: string): Promise<void> {
    const renamed = await renameConversation(id, title);
    this.threads.get(id)?.rename(renamed);
    this.list.replace(renamed);
  }

  async remove(id: string): Promise<void> {
    await deleteConversation(id);
    this.threads.get(id)?.stop();
    this.threads.delete(id);
    this.list.update((items) => items.filter((item) => item.id !== id));
  }

  /** End every request that is under way. */
  close(): void {
    this.list.close();
    this.threads.forEach((thread) => thread.stop());
  }

  private readonly moveToTop = (conversation: Conversation): void => {
    const { items, query } = this.list.state;
    if (!query || items.some((item) => item.id === conversation.id)) {
      this.list.update((before) => [conversation, ...before.filter((item) => item.id !== conversation.id)]);
    }
  };
}

export const ConversationsContext = createContext<Conversations | null>(null);

export function useConversations(): Conversations {
  const conversations = use(ConversationsContext);
  if (!conversations) {
    throw new Error('useConversations needs a ConversationsContext above it');
  }
  return conversations;
}
