import { beforeEach, describe, expect, it } from 'vitest';

import { click, ID, open, page, router, settled, signedIn } from './test/app';
import { serve } from './test/server';

beforeEach(() => {
  localStorage.clear();
});

describe('the menu of a narrow screen', () => {
  it('takes the focus when it opens and gives it back on Escape', async () => {
    serve(signedIn());
    await open('/');
    const opener = page.get('[aria-label="Open menu"]');
    await click('[aria-label="Open menu"]');
    expect(opener.attributes('aria-expanded')).toBe('true');
    expect(document.activeElement?.textContent).toContain('New conversation');
    await page.get('.shell').trigger('keydown', { key: 'Escape' });
    await settled();
    expect(opener.attributes('aria-expanded')).toBe('false');
    expect(document.activeElement).toBe(opener.element);
  });

  it('closes when a conversation is chosen', async () => {
    serve(signedIn());
    await open('/');
    await click('[aria-label="Open menu"]');
    await click('nav a');
    expect(router.currentRoute.value.path).toBe(`/c/${ID}`);
    expect(page.find('[aria-label="Close menu"]').exists()).toBe(false);
  });
});

describe('colours', () => {
  it('go from the system’s to light to dark, and are kept', async () => {
    serve(signedIn());
    await open('/');
    await click('[aria-label="Colours: system"]');
    await click('[aria-label="Colours: light"]');
    expect(document.documentElement.dataset['theme']).toBe('dark');
    page.unmount();
    await open('/');
    expect(page.find('[aria-label="Colours: dark"]').exists()).toBe(true);
  });
});
