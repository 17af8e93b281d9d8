import { describe, expect, it, vi } from 'vitest';

import { articles, click, ID, open, page, router, settled, signedIn, type Routes } from '../test/app';
import { problemResponse, serve, USER } from '../test/server';

describe('signing in', () => {
  const signedOut: Routes = { ...signedIn(), 'GET /api/auth/me': () => problemResponse(401, 'Sign in first.') };

  async function submit(): Promise<void> {
    await page.get('input[name=username]').setValue(' user0001 ');
    await page.get('input[name=password]').setValue('secret ');
    await page.get('form').trigger('submit');
    await settled();
  }

  it('leads from an address inside through the form and back there', async () => {
    const { bodies } = serve({ ...signedOut, 'POST /api/auth/login': () => USER });
    await open(`/c/${ID}`);
    expect(router.currentRoute.value.fullPath).toBe(`/sign-in?next=/c/${ID}`);
    expect(document.title).toBe('Sign in');
    await submit();
    expect(bodies).toContainEqual({ username: 'user0001', password: 'secret ' });
    expect(router.currentRoute.value.path).toBe(`/c/${ID}`);
    expect(articles()).toEqual(['You: A question', 'Assistant: An answer']);
    expect(document.title).toBe('Holiday plans');
  });

  it('says why it failed and stays', async () => {
    serve({ ...signedOut, 'POST /api/auth/login': () => problemResponse(401, 'Wrong name or password.') });
    await open('/');
    await submit();
    expect(page.get('[role=alert]').text()).toBe('Wrong name or password.');
    expect(router.currentRoute.value.path).toBe('/sign-in');
  });

  it('leads nowhere else', async () => {
    serve(signedIn());
    await open('/sign-in?next=//evil.example');
    expect(router.currentRoute.value.fullPath).toBe('/');
  });

  it('offers to try again when the server is out of reach', async () => {
    serve({
      'GET /api/auth/me': () => {
        throw new TypeError('Failed to fetch');
      },
    });
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    await open('/');
    expect(page.get('[role=alert]').text()).toContain('The server cannot be reached');
    expect(page.get('[role=alert] button').text()).toBe('Retry');
    expect(warned.mock.lastCall?.[0]).toContain('starting the router');
  });

  it('comes back with a word of explanation when the session has ended', async () => {
    serve({
      ...signedIn(),
      [`GET /api/conversations/${ID}`]: () => problemResponse(401, 'Sign in first.'),
      [`GET /api/conversations/${ID}/messages`]: () => problemResponse(401, 'Sign in first.'),
    });
    await open('/');
    await router.push(`/c/${ID}`);
    await settled();
    expect(router.currentRoute.value.fullPath).toBe(`/sign-in?next=/c/${ID}`);
    expect(page.get('[role=status]').text()).toContain('Your session has ended');
  });

  it('ends with the sign-out button, and nothing of the person stays on the page', async () => {
    serve({ ...signedIn(), 'POST /api/auth/logout': () => undefined });
    await open(`/c/${ID}`);
    await click('[aria-label="Sign out"]');
    expect(router.currentRoute.value.fullPath).toBe('/sign-in');
    expect(page.text()).not.toContain('Holiday plans');
    expect(page.find('[role=status]').exists()).toBe(false);
  });

  it('says so when signing out fails', async () => {
    serve({ ...signedIn(), 'POST /api/auth/logout': () => problemResponse(503, 'The cache is out of reach.') });
    await open('/');
    await click('[aria-label="Sign out"]');
    expect(page.get('[role=alert]').text()).toBe('The cache is out of reach.');
    expect(router.currentRoute.value.path).toBe('/');
  });
});
