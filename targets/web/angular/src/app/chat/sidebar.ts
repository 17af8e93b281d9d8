import { Component, DOCUMENT, DestroyRef, computed, inject, output, signal } from '@angular/core';
import { Router, RouterLink, RouterLinkActive } from '@angular/router';

import { Auth } from '../api/auth';
import { Problem } from '../api/problem';
import { Conversation } from '../api/schema';
import { Icon } from '../icon';
import { Theme } from '../theme';
import { Conversations } from './conversations';

const SEARCH_PAUSE_MS = 250;
const DAY_MS = 86_400_000;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

interface Group {
  name: string;
  items: Conversation[];
}

@Component({
  selector: 'app-sidebar',
  imports: [Icon, RouterLink, RouterLinkActive],
  host: { class: 'sidebar' },
  templateUrl: './sidebar.html',
})
export class Sidebar {
  protected readonly list = inject(Conversations);
  protected readonly auth = inject(Auth);
  protected readonly theme = inject(Theme);
  protected readonly themeIcons = { system: 'screen', light: 'sun', dark: 'moon' } as const;
  private readonly router = inject(Router);
  private readonly document = inject(DOCUMENT);

  /** Something was chosen that does not lead to another page. */
  readonly chosen = output();

  protected readonly query = signal('');
  protected readonly groups = computed(() => byAge(this.list.items()));

  /** Moderators read any conversation by its id. */
  protected readonly foreignId = computed(() => {
    const query = this.query().trim();
    return this.auth.mayModerate() && UUID.test(query) ? query : null;
  });

  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    inject(DestroyRef).onDestroy(() => clearTimeout(this.pause));
    this.list.search('');
  }

  protected search(query: string): void {
    this.query.set(query);
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.list.search(query.trim()), SEARCH_PAUSE_MS);
  }

  protected async startNew(): Promise<void> {
    await this.router.navigateByUrl('/');
    this.chosen.emit();
    // the drawer of a narrow screen keeps the page inert until it has closed
    setTimeout(() => this.document.getElementById('message')?.focus());
  }

  protected async signOut(): Promise<void> {
    try {
      await this.auth.signOut();
    } catch (error) {
      this.list.problem.set(Problem.from(error));
    }
  }
}

function byAge(conversations: readonly Conversation[]): Group[] {
  const today = new Date().setHours(0, 0, 0, 0);
  const groups: Group[] = [];
  for (const conversation of conversations) {
    const updated = Date.parse(conversation.updated_at);
    const name = age(updated, today);
    const last = groups.at(-1);
    if (last?.name === name) {
      last.items.push(conversation);
    } else {
      groups.push({ name, items: [conversation] });
    }
  }
  return groups;
}

function age(updated: number, today: number): string {
  if (updated >= today) {
    return 'Today';
  }
  if (updated >= today - DAY_MS) {
    return 'Yesterday';
  }
  return updated >= today - 7 * DAY_MS ? 'Last seven days' : 'Earlier';
}
