import type { Problem } from './api/problem';

/** A problem in words, with a way to go on where there is one. */
export function Alert({ problem, onRetry }: { problem: Problem; onRetry?: (() => unknown) | undefined }) {
  return (
    <div className="alert" role="alert">
      <p>{problem.message}</p>
      {onRetry && (
        <button type="button" className="button" onClick={() => void onRetry()}>
          Retry
        </button>
      )}
    </div>
  );
}
