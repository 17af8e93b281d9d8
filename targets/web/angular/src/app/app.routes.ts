import { inject } from '@angular/core';
import { CanActivateFn, RedirectCommand, Router, Routes, UrlMatchResult, UrlSegment } from '@angular/router';

import { Auth } from './api/auth';
import { safeReturnUrl } from './api/return-url';

const signedIn: CanActivateFn = (_route, state) => {
  if (inject(Auth).user()) {
    return true;
  }
  const queryParams = state.url === '/' ? {} : { next: state.url };
  return new RedirectCommand(inject(Router).createUrlTree(['/sign-in'], { queryParams }));
};

const signedOut: CanActivateFn = (route) =>
  inject(Auth).user()
    ? new RedirectCommand(inject(Router).parseUrl(safeReturnUrl(route.queryParamMap.get('next'))))
    : true;

const administrator: CanActivateFn = () =>
  inject(Auth).user()?.role === 'admin' || new RedirectCommand(inject(Router).parseUrl('/'));

/** One route for `/` and `/c/<id>`, so that a draft turns into a conversation without losing its component. */
function conversation(segments: UrlSegment[]): UrlMatchResult | null {
  const [prefix, id] = segments;
  if (!prefix) {
    return { consumed: [] };
  }
  return segments.length === 2 && prefix.path === 'c' && id ? { consumed: segments, posParams: { id } } : null;
}

export const routes: Routes = [
  {
    path: 'sign-in',
    title: 'Sign in',
    canActivate: [signedOut],
    loadComponent: () => import('./sign-in/sign-in').then((m) => m.SignIn),
  },
  {
    path: '',
    canActivate: [signedIn],
    loadComponent: () => import('./chat/shell').then((m) => m.Shell),
    children: [
      {
        path: 'admin',
        title: 'Users',
        canActivate: [administrator],
        loadComponent: () => import('./admin/users-page').then((m) => m.UsersPage),
      },
      {
        matcher: conversation,
        loadComponent: () => import('./chat/conversation-page').then((m) => m.ConversationPage),
      },
      { path: '**', redirectTo: '/' },
    ],
  },
];
