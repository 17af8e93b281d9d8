import { Component, inject, input, signal } from '@angular/core';
import { Router } from '@angular/router';

import { Auth } from '../api/auth';
import { Problem } from '../api/problem';
import { safeReturnUrl } from '../api/return-url';
import { Icon } from '../icon';

@Component({
  selector: 'app-sign-in',
  imports: [Icon],
  template: `
    <main class="sign-in">
      <form class="card" (submit)="submit($event, username.value, password.value)">
        <span class="mark"><app-icon name="spark" /></span>
        <h1>Sign in</h1>
        @if (problem(); as problem) {
          <div class="alert" role="alert">{{ problem.message }}</div>
        } @else if (ended()) {
          <div class="notice" role="status">Your session has ended. Sign in to go on.</div>
        }
        <label class="field">
          Username
          <input
            #username
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck="false"
            required
            maxlength="150"
            autofocus
          />
        </label>
        <label class="field">
          Password
          <input #password name="password" type="password" autocomplete="current-password" required maxlength="128" />
        </label>
        <button type="submit" class="button primary" [attr.aria-disabled]="busy()">Sign in</button>
      </form>
    </main>
  `,
})
export class SignIn {
  private readonly auth = inject(Auth);
  private readonly router = inject(Router);

  /** Query parameters: where to go afterwards, and whether a session just ended. */
  readonly next = input<string>();
  readonly ended = input<string>();

  protected readonly busy = signal(false);
  protected readonly problem = signal<Problem | null>(null);

  protected async submit(event: Event, username: string, password: string): Promise<void> {
    event.preventDefault();
    if (this.busy()) {
      return;
    }
    this.busy.set(true);
    this.problem.set(null);
    try {
      await this.auth.signIn(username.trim(), password);
      await this.router.navigateByUrl(safeReturnUrl(this.next() ?? null));
    } catch (error) {
      this.problem.set(Problem.from(error));
    } finally {
      this.busy.set(false);
    }
  }
}
