import { Component, DestroyRef, computed, inject, signal } from '@angular/core';
import { Subscription, firstValueFrom } from 'rxjs';

import { Auth } from '../api/auth';
import { ChatApi } from '../api/chat-api';
import { Problem } from '../api/problem';
import { Role, User, UserChange } from '../api/schema';

const SEARCH_PAUSE_MS = 250;

/** Accounts, their roles, and whether they may sign in. */
@Component({
  selector: 'app-users-page',
  host: { class: 'page' },
  templateUrl: './users-page.html',
})
export class UsersPage {
  private readonly api = inject(ChatApi);
  private readonly auth = inject(Auth);

  protected readonly roles: readonly Role[] = ['user', 'moderator', 'admin'];
  protected readonly users = signal<readonly User[]>([]);
  protected readonly count = signal<number | null>(null);
  protected readonly loading = signal(false);
  protected readonly saving = signal<number | null>(null);
  protected readonly problem = signal<Problem | null>(null);
  protected readonly listFailed = signal(false);
  private readonly next = signal(false);
  protected readonly hasMore = computed(() => this.next() && !this.loading());

  private query = '';
  private page = 0;
  private request: Subscription | null = null;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    inject(DestroyRef).onDestroy(() => {
      this.request?.unsubscribe();
      clearTimeout(this.pause);
    });
    this.load(1);
  }

  protected search(query: string): void {
    this.query = query.trim();
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.load(1), SEARCH_PAUSE_MS);
  }

  protected loadMore(): void {
    this.load(this.page + 1);
  }

  protected retry(): void {
    this.load(this.page || 1);
  }

  /** Admins cannot change themselves: the server refuses it, so that there is always one. */
  protected isSelf(user: User): boolean {
    return user.id === this.auth.user()?.id;
  }

  protected async update(user: User, change: UserChange): Promise<void> {
    this.saving.set(user.id);
    this.problem.set(null);
    try {
      this.replace(await firstValueFrom(this.api.updateUser(user.id, change)));
    } catch (error) {
      this.problem.set(Problem.from(error));
      this.replace({ ...user }); // a new object: the control goes back to what is stored
    } finally {
      this.saving.set(null);
    }
  }

  private replace(user: User): void {
    this.users.update((users) => users.map((other) => (other.id === user.id ? user : other)));
  }

  private load(page: number): void {
    this.request?.unsubscribe();
    this.loading.set(true);
    this.listFailed.set(false);
    this.problem.set(null);
    this.request = this.api.users(this.query, page).subscribe({
      next: ({ count, next, results }) => {
        this.page = page;
        this.count.set(count);
        this.next.set(next !== null);
        this.users.update((users) => (page === 1 ? results : [...users, ...results]));
        this.loading.set(false);
      },
      error: (error: unknown) => {
        this.problem.set(Problem.from(error));
        this.listFailed.set(true);
        this.loading.set(false);
      },
    });
  }
}
