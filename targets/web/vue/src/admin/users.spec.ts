import { describe, expect, it } from 'vitest';

import { click, open, page, router, settled, signedIn, type Routes } from '../test/app';
import { ADMIN, pageOf, problemResponse, serve, USER } from '../test/server';

describe('the users page', () => {
  const users: Routes = {
    ...signedIn(ADMIN),
    'GET /api/admin/users': () => pageOf([USER, ADMIN]),
  };

  it('is for admins', async () => {
    serve(signedIn());
    await open('/admin');
    expect(router.currentRoute.value.path).toBe('/');
    expect(page.find('[aria-label=Users]').exists()).toBe(false);
  });

  it('changes roles and accounts, but not one’s own', async () => {
    const { bodies } = serve({
      ...users,
      'PATCH /api/admin/users/1': (_request, body) => ({ ...USER, ...(body as object) }),
    });
    await open('/admin');
    expect(document.title).toBe('Users');
    expect(page.get('[aria-label="Role of admin"]').attributes()).toHaveProperty('disabled');
    expect(page.get('[aria-label="Deactivate admin"]').attributes()).toHaveProperty('disabled');
    await page.get('[aria-label="Role of user0001"]').setValue('moderator');
    await settled();
    await click('[aria-label="Deactivate user0001"]');
    expect(bodies.filter(Boolean)).toEqual([{ role: 'moderator' }, { is_active: false }]);
    expect(page.find('[aria-label="Activate user0001"]').exists()).toBe(true);
  });

  it('goes back to what is stored when a change is refused', async () => {
    serve({ ...users, 'PATCH /api/admin/users/1': () => problemResponse(400, 'Not this one.') });
    await open('/admin');
    const box = page.get<HTMLSelectElement>('[aria-label="Role of user0001"]');
    await box.setValue('admin');
    await settled();
    expect(page.get('[role=alert]').text()).toBe('Not this one.');
    expect(box.element.value).toBe('user');
  });
});
