import { inject, onScopeDispose, provide, reactive, ref, type InjectionKey } from 'vue';

import * as api from '../api/chat-api';
import type { Conversation } from '../api/schema';
import { usePagedList } from '../ui/paged-list';
import { createThread, type Thread } from './thread';

export type Conversations = ReturnType<typeof createConversations>;

/** A user's conversations: the list as far as it is loaded, and the threads that were opened. */
export function createConversations() {
  const list = usePagedList(api.fetchConversations);
  const threads = new Map<string, Thread>();
  /** What is being written before there is a conversation. */
  const draft = ref('');

  onScopeDispose(() => {
    threads.forEach((thread) => thread.stop());
  });

  function moveToTop(conversation: Conversation): void {
    const others = list.items.value.filter((item) => item.id !== conversation.id);
    if (others.length < list.items.value.length || !list.query.value) {
      list.items.value = [conversation, ...others];
    }
  }

  function threadOf(id: string): Thread {
    const thread = createThread(id, moveToTop);
    threads.set(id, thread);
    return thread;
  }

  /** Returns the thread of a conversation; one whose answer is still being written goes on in the background. */
  function open(id: string): Thread {
    const thread = threads.get(id) ?? threadOf(id);
    if (!thread.answering) {
      void thread.load();
    }
    return thread;
  }

  /** Creates a conversation on the server; its thread is empty and ready for the first message. */
  async function create(): Promise<Thread> {
    const conversation = await api.createConversation();
    const thread = threadOf(conversation.id);
    thread.conversation = conversation;
    moveToTop(conversation);
    return thread;
  }

  async function rename(id: string, title: string): Promise<void> {
    const renamed = await api.renameConversation(id, title);
    const thread = threads.get(id);
    if (thread) {
      thread.conversation = renamed;
    }
    list.replace(renamed);
  }

  async function remove(id: string): Promise<void> {
    await api.deleteConversation(id);
    threads.get(id)?.stop();
    threads.delete(id);
    list.items.value = list.items.value.filter((item) => item.id !== id);
  }

  return reactive({ list: reactive(list), draft, open, create, rename, remove });
}

const KEY: InjectionKey<Conversations> = Symbol('conversations');

/** Makes the conversations available below this component; they end with it, so that the next user finds nothing. */
export function provideConversations(): Conversations {
  const conversations = createConversations();
  provide(KEY, conversations);
  return conversations;
}

export function useConversations(): Conversations {
  const conversations = inject(KEY);
  if (!conversations) {
    throw new Error('useConversations() needs a component above it that calls provideConversations()');
  }
  return conversations;
}
