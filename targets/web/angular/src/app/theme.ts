import { Injectable, effect, signal } from '@angular/core';

const THEMES = ['system', 'light', 'dark'] as const;
type ThemeName = (typeof THEMES)[number];

const STORAGE_KEY = 'theme';

/** Light, dark or what the system says; the choice lives in this browser only. */
@Injectable({ providedIn: 'root' })
export class Theme {
  readonly name = signal<ThemeName>(stored());

  constructor() {
    effect(() => {
      const name = this.name();
      document.documentElement.dataset['theme'] = name;
      try {
        localStorage.setItem(STORAGE_KEY, name);
      } catch {
        // storage may be forbidden; the choice then lasts as long as the page
      }
    });
  }

  next(): void {
    this.name.update((name) => THEMES[(THEMES.indexOf(name) + 1) % THEMES.length] ?? 'system');
  }
}

function stored(): ThemeName {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}
