import { lazy, Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router';

import { AuthProvider } from './auth/AuthProvider';
import { RequireAdmin, RequireUser } from './auth/guards';
import { SignInPage } from './auth/SignInPage';
import { ErrorBoundary } from './ErrorBoundary';
import { Loading } from './Loading';

const chat = () => import('./chat');
const Shell = lazy(async () => ({ default: (await chat()).Shell }));
const NewConversationPage = lazy(async () => ({ default: (await chat()).NewConversationPage }));
const ThreadPage = lazy(async () => ({ default: (await chat()).ThreadPage }));
const UsersPage = lazy(async () => ({ default: (await import('./admin/UsersPage')).UsersPage }));

// the chat is fetched while the server is asked who we are, and while users type their password
chat().catch(() => undefined);

export function App() {
  return (
    <ErrorBoundary>
      <AuthProvider>
        <Suspense fallback={<Loading />}>
          <Routes>
            <Route path="/sign-in" element={<SignInPage />} />
            <Route element={<RequireUser />}>
              <Route element={<Shell />}>
                <Route index element={<NewConversationPage />} />
                <Route path="c/:id" element={<ThreadPage />} />
                <Route element={<RequireAdmin />}>
                  <Route path="admin" element={<UsersPage />} />
                </Route>
                <Route path="*" element={<Navigate to="/" replace />} />
              </Route>
            </Route>
          </Routes>
        </Suspense>
      </AuthProvider>
    </ErrorBoundary>
  );
}
