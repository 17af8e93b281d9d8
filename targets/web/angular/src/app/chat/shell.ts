import { Component, DestroyRef, inject, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { NavigationEnd, Router, RouterOutlet } from '@angular/router';
import { filter } from 'rxjs';

import { Icon } from '../icon';
import { Conversations } from './conversations';
import { Sidebar } from './sidebar';

/** Everything behind the sign-in; what it holds in memory ends with it, so the next user finds nothing. */
@Component({
  selector: 'app-shell',
  imports: [Icon, RouterOutlet, Sidebar],
  providers: [Conversations],
  host: { class: 'shell', '[class.drawer-open]': 'drawer()', '(keydown.escape)': 'drawer.set(false)' },
  template: `
    <button
      type="button"
      class="icon-button open-menu"
      aria-label="Open menu"
      [attr.aria-expanded]="drawer()"
      (click)="drawer.set(true)"
    >
      <app-icon name="menu" />
    </button>
    <app-sidebar [inert]="narrow() && !drawer()" (chosen)="drawer.set(false)" />
    @if (drawer()) {
      <button type="button" class="backdrop" aria-label="Close menu" (click)="drawer.set(false)"></button>
    }
    <main [inert]="drawer()"><router-outlet /></main>
  `,
})
export class Shell {
  protected readonly drawer = signal(false);
  protected readonly narrow = signal(false);

  constructor() {
    inject(Router)
      .events.pipe(
        filter((event) => event instanceof NavigationEnd),
        takeUntilDestroyed(),
      )
      .subscribe(() => this.drawer.set(false));

    // the width below which styles/layout.css turns the sidebar into a drawer
    const query = matchMedia('(max-width: 48rem)');
    const update = (): void => {
      this.narrow.set(query.matches);
      this.drawer.set(false);
    };
    update();
    query.addEventListener('change', update);
    inject(DestroyRef).onDestroy(() => query.removeEventListener('change', update));
  }
}
