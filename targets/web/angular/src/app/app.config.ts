import { ApplicationConfig, inject, provideAppInitializer, provideBrowserGlobalErrorListeners } from '@angular/core';
import { provideHttpClient, withInterceptors, withXsrfConfiguration } from '@angular/common/http';
import { provideRouter, withComponentInputBinding } from '@angular/router';

import { Auth } from './api/auth';
import { problems } from './api/problems.interceptor';
import { routes } from './app.routes';
import { Theme } from './theme';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideHttpClient(
      // Angular's own interceptor copies the cookie into the header on same-origin requests that change something
      withXsrfConfiguration({ cookieName: 'csrftoken', headerName: 'X-CSRFToken' }),
      withInterceptors([problems]),
    ),
    provideRouter(routes, withComponentInputBinding()),
    provideAppInitializer(() => {
      inject(Theme);
      return inject(Auth).load();
    }),
  ],
};
