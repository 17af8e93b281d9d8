import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, map } from 'rxjs';

import { Conversation, ConversationPage, Feedback, Message, MessageList, User, UserChange, UserPage } from './schema';

export const MAX_MESSAGE_CHARS = 100_000;

/** The REST contract as typed calls; streaming answers are in {@link AnswerStream}. */
@Injectable({ providedIn: 'root' })
export class ChatApi {
  private readonly http = inject(HttpClient);

  conversations(search: string, page: number): Observable<ConversationPage> {
    return this.http.get<ConversationPage>('/api/conversations', { params: paging(search, page) });
  }

  conversation(id: string): Observable<Conversation> {
    return this.http.get<Conversation>(conversationUrl(id));
  }

  createConversation(): Observable<Conversation> {
    return this.http.post<Conversation>('/api/conversations', {});
  }

  renameConversation(id: string, title: string): Observable<Conversation> {
    return this.http.patch<Conversation>(conversationUrl(id), { title });
  }

  deleteConversation(id: string): Observable<void> {
    return this.http.delete<void>(conversationUrl(id));
  }

  messages(conversationId: string): Observable<Message[]> {
    return this.http.get<MessageList>(`${conversationUrl(conversationId)}/messages`).pipe(map((page) => page.results));
  }

  rate(messageId: string, value: Feedback): Observable<Message> {
    return this.http.put<Message>(`/api/messages/${encodeURIComponent(messageId)}/feedback`, { value });
  }

  hide(messageId: string, hidden: boolean): Observable<Message> {
    return this.http.post<Message>(`/api/messages/${encodeURIComponent(messageId)}/hide`, { hidden });
  }

  users(search: string, page: number): Observable<UserPage> {
    return this.http.get<UserPage>('/api/admin/users', { params: paging(search, page) });
  }

  updateUser(id: number, change: UserChange): Observable<User> {
    return this.http.patch<User>(`/api/admin/users/${id}`, change);
  }
}

export function conversationUrl(id: string): string {
  return `/api/conversations/${encodeURIComponent(id)}`;
}

function paging(search: string, page: number): Record<string, string | number> {
  return search ? { search, page } : { page };
}
