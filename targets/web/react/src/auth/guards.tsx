import { createSearchParams, Navigate, Outlet, useLocation } from 'react-router';

import { useAuth } from './auth';

/** Everything below is for signed-in users; others sign in first and come back. */
export function RequireUser() {
  const { user, left } = useAuth();
  const { pathname, search } = useLocation();
  if (user) {
    return <Outlet />;
  }
  const next = pathname + search;
  const query = createSearchParams({
    ...(next !== '/' && left !== 'signed-out' ? { next } : {}),
    ...(left === 'ended' ? { ended: 'true' } : {}),
  });
  return <Navigate to={{ pathname: '/sign-in', search: query.toString() }} replace />;
}

export function RequireAdmin() {
  return useAuth().user?.role === 'admin' ? <Outlet /> : <Navigate to="/" replace />;
}
