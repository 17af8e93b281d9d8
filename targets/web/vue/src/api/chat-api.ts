import { client } from './client';
import { Problem } from './problem';
import type { Conversation, ConversationPage, Feedback, Message, User, UserChange, UserPage } from './schema';

export const MAX_MESSAGE_CHARS = 100_000;

/** Returns the body of an answer; whatever fails is thrown as a Problem, except that an abort stays what it is. */
async function body<T>(request: Promise<{ data?: T; response: Response }>, signal?: AbortSignal): Promise<T> {
  try {
    const { data } = await request;
    return data as T; // refusals never get here: the client throws them
  } catch (error) {
    throw signal?.aborted ? error : Problem.of(error);
  }
}

function query(search: string, page: number): { search?: string; page: number } {
  return search ? { search, page } : { page };
}

export function fetchMe(): Promise<User> {
  return body(client.GET('/api/auth/me'));
}

export function signIn(username: string, password: string): Promise<User> {
  return body(client.POST('/api/auth/login', { body: { username, password } }));
}

export async function signOut(): Promise<void> {
  await body(client.POST('/api/auth/logout'));
}

export function fetchConversations(search: string, page: number, signal: AbortSignal): Promise<ConversationPage> {
  return body(client.GET('/api/conversations', { params: { query: query(search, page) }, signal }), signal);
}

export function fetchConversation(id: string): Promise<Conversation> {
  return body(client.GET('/api/conversations/{id}', { params: { path: { id } } }));
}

export function createConversation(): Promise<Conversation> {
  return body(client.POST('/api/conversations', { body: {} }));
}

export function renameConversation(id: string, title: string): Promise<Conversation> {
  return body(client.PATCH('/api/conversations/{id}', { params: { path: { id } }, body: { title } }));
}

export async function deleteConversation(id: string): Promise<void> {
  await body(client.DELETE('/api/conversations/{id}', { params: { path: { id } } }));
}

export function exportUrl(id: string, format: 'json' | 'markdown'): string {
  return `/api/conversations/${encodeURIComponent(id)}/export?format=${format}`;
}

export async function fetchMessages(id: string): Promise<Message[]> {
  return (await body(client.GET('/api/conversations/{id}/messages', { params: { path: { id } } }))).results;
}

export function rateMessage(id: string, value: Feedback): Promise<Message> {
  return body(client.PUT('/api/messages/{id}/feedback', { params: { path: { id } }, body: { value } }));
}

export function hideMessage(id: string, hidden: boolean): Promise<Message> {
  return body(client.POST('/api/messages/{id}/hide', { params: { path: { id } }, body: { hidden } }));
}

export function fetchUsers(search: string, page: number, signal: AbortSignal): Promise<UserPage> {
  return body(client.GET('/api/admin/users', { params: { query: query(search, page) }, signal }), signal);
}

export function updateUser(id: number, change: UserChange): Promise<User> {
  return body(client.PATCH('/api/admin/users/{id}', { params: { path: { id } }, body: change }));
}
