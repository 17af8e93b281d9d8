import { client, dataOf } from './client';
import type { Conversation, Feedback, Message, User, UserChange } from './schema';

export const MAX_MESSAGE_CHARS = 100_000;

export interface Page<Item> {
  count: number;
  next?: string | null;
  results: Item[];
}

export const me = (): Promise<User> => dataOf(client.GET('/api/auth/me'));

export const signIn = (username: string, password: string): Promise<User> =>
  dataOf(client.POST('/api/auth/login', { body: { username, password } }));

export const signOut = (): Promise<void> => dataOf(client.POST('/api/auth/logout'));

export const listConversations = (search: string, page: number, signal: AbortSignal): Promise<Page<Conversation>> =>
  dataOf(client.GET('/api/conversations', { params: { query: paging(search, page) }, signal }));

export const createConversation = (): Promise<Conversation> => dataOf(client.POST('/api/conversations', { body: {} }));

export const getConversation = (id: string): Promise<Conversation> =>
  dataOf(client.GET('/api/conversations/{id}', { params: { path: { id } } }));

export const renameConversation = (id: string, title: string): Promise<Conversation> =>
  dataOf(client.PATCH('/api/conversations/{id}', { params: { path: { id } }, body: { title } }));

export const deleteConversation = (id: string): Promise<void> =>
  dataOf(client.DELETE('/api/conversations/{id}', { params: { path: { id } } }));

export const exportUrl = (id: string, format: 'json' | 'markdown'): string =>
  `/api/conversations/${encodeURIComponent(id)}/export?format=${format}`;

export const listMessages = async (id: string): Promise<Message[]> =>
  (await dataOf(client.GET('/api/conversations/{id}/messages', { params: { path: { id } } }))).results;

export const rate = (id: string, value: Feedback): Promise<Message> =>
  dataOf(client.PUT('/api/messages/{id}/feedback', { params: { path: { id } }, body: { value } }));

export const hide = (id: string, hidden: boolean): Promise<Message> =>
  dataOf(client.POST('/api/messages/{id}/hide', { params: { path: { id } }, body: { hidden } }));

export const listUsers = (search: string, page: number, signal: AbortSignal): Promise<Page<User>> =>
  dataOf(client.GET('/api/admin/users', { params: { query: paging(search, page) }, signal }));

export const updateUser = (id: number, change: UserChange): Promise<User> =>
  dataOf(client.PATCH('/api/admin/users/{id}', { params: { path: { id } }, body: change }));

function paging(search: string, page: number): { search?: string; page: number } {
  return search ? { search, page } : { page };
}
