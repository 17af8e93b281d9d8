import { HttpErrorResponse, HttpInterceptorFn } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, throwError } from 'rxjs';

import { Problem } from './problem';
import { SessionEnd } from './session-end';

/** Turns failed requests into problems and tells the application when the session is over. */
export const problems: HttpInterceptorFn = (request, next) => {
  const sessionEnd = inject(SessionEnd);
  return next(request).pipe(
    catchError((error: unknown) => {
      const problem = error instanceof HttpErrorResponse ? Problem.fromHttp(error) : Problem.from(error);
      if (problem.status === 401 && !request.url.startsWith('/api/auth/')) {
        sessionEnd.announce();
      }
      return throwError(() => problem);
    }),
  );
};
