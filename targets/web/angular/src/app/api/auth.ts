import { HttpClient } from '@angular/common/http';
import { Injectable, computed, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { Router } from '@angular/router';
import { firstValueFrom } from 'rxjs';

import { Problem } from './problem';
import { SessionEnd } from './session-end';
import { User } from './schema';

/** Who is signed in. The session itself is an HTTP-only cookie that scripts cannot read. */
@Injectable({ providedIn: 'root' })
export class Auth {
  private readonly http = inject(HttpClient);
  private readonly router = inject(Router);

  private readonly current = signal<User | null>(null);
  readonly user = this.current.asReadonly();
  readonly problem = signal<Problem | null>(null);
  readonly isAdministrator = computed(() => this.user()?.role === 'admin');
  readonly mayModerate = computed(() => this.isAdministrator() || this.user()?.role === 'moderator');

  constructor() {
    inject(SessionEnd)
      .events.pipe(takeUntilDestroyed())
      .subscribe(() => {
        if (this.current()) {
          this.current.set(null);
          void this.router.navigate(['/sign-in'], { queryParams: { next: this.router.url, ended: true } });
        }
      });
  }

  /** Ask the server who we are; its answer also sets the CSRF cookie that every later change needs. */
  async load(): Promise<void> {
    try {
      this.current.set(await firstValueFrom(this.http.get<User>('/api/auth/me')));
    } catch (error) {
      const problem = Problem.from(error);
      if (problem.status !== 401) {
        this.problem.set(problem);
      }
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    this.current.set(await firstValueFrom(this.http.post<User>('/api/auth/login', { username, password })));
  }

  async signOut(): Promise<void> {
    await firstValueFrom(this.http.post('/api/auth/logout', null));
    this.current.set(null);
    await this.router.navigateByUrl('/sign-in');
  }
}
