import { type SubmitEvent, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';

import { Alert } from '../Alert';
import { asProblem, type Problem } from '../api/problem';
import { Icon } from '../Icon';
import { useTitle } from '../title';
import { useAuth } from './auth';
import { safeReturnUrl } from './return-url';

export function SignInPage() {
  const { user, signIn } = useAuth();
  const [parameters] = useSearchParams();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useTitle('Sign in');

  async function submit(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (busy) {
      return;
    }
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await signIn((form.get('username') as string).trim(), form.get('password') as string);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  if (user) {
    return <Navigate to={safeReturnUrl(parameters.get('next'))} replace />;
  }
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <span className="mark">
          <Icon name="spark" />
        </span>
        <h1>Sign in</h1>
        {problem ? (
          <Alert problem={problem} />
        ) : (
          parameters.has('ended') && (
            <div className="notice" role="status">
              Your session has ended. Sign in to go on.
            </div>
          )
        )}
        <label className="field">
          Username
          <input
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={150}
            autoFocus
          />
        </label>
        <label className="field">
          Password
          <input name="password" type="password" autoComplete="current-password" required maxLength={128} />
        </label>
        <button type="submit" className="button primary" aria-disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
