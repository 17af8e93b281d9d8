import { Component, inject } from '@angular/core';
import { RouterOutlet } from '@angular/router';

import { Auth } from './api/auth';

@Component({
  selector: 'app-root',
  imports: [RouterOutlet],
  template: `
    @if (auth.problem(); as problem) {
      <main class="booting">
        <div class="alert" role="alert">{{ problem.message }}</div>
        <button type="button" class="button primary" (click)="reload()">Retry</button>
      </main>
    } @else {
      <router-outlet />
    }
  `,
})
export class App {
  protected readonly auth = inject(Auth);

  protected reload(): void {
    location.reload();
  }
}
