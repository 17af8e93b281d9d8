import { describe, expect, it, vi } from 'vitest';

import { ID, open, page, signedIn } from '../test/app';
import { serve, USER } from '../test/server';

describe('the list of conversations', () => {
  it('marks the one that is open', async () => {
    serve(signedIn());
    await open(`/c/${ID}`);
    expect(page.get('nav a[aria-current=page]').text()).toBe('Holiday plans');
  });

  it('is searched', async () => {
    const { seen } = serve(signedIn());
    await open('/');
    await page.get('[aria-label="Search conversations"]').setValue('holi & day');
    await vi.waitFor(() => {
      expect(seen.at(-1)).toBe('GET /api/conversations?search=holi%20%26%20day&page=1');
    });
  });

  it('lets moderators open any conversation by its id', async () => {
    for (const [user, links] of [
      [USER, 0],
      [{ ...USER, role: 'moderator' }, 1],
    ] as const) {
      serve(signedIn(user));
      await open('/');
      const foreign = '11111111-2222-3333-4444-555555555555';
      await page.get('[aria-label="Search conversations"]').setValue(foreign);
      expect(page.findAll(`nav a[href="/c/${foreign}"]`)).toHaveLength(links);
      page.unmount();
    }
  });
});
