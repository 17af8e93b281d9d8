import { readonly, ref, watchEffect } from 'vue';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const STORAGE_KEY = 'theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}

const theme = ref<Theme>(stored());

watchEffect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(STORAGE_KEY, theme.value);
  } catch {
    // storage may be forbidden; the choice then lasts as long as the page
  }
});

/** Light, dark or what the system says; the choice lives in this browser only. */
export function useTheme() {
  return {
    theme: readonly(theme),
    next: (): void => {
      theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
    },
  };
}
