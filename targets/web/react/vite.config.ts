import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const POLICY =
  "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'";

/** The built page brings its own policy, whatever its server sends; the development server needs inline scripts. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
    ],
  };
}

export default defineConfig({
  plugins: [react(), contentSecurityPolicy()],
  build: {
    target: 'baseline-widely-available',
    modulePreload: { polyfill: false },
    // hexadecimal: a server recognises hashed names, which it may let browsers keep, by letters and digits after the last dash
    rolldownOptions: { output: { hashCharacters: 'hex' } },
  },
  server: { host: '127.0.0.1', port: 4200, proxy: { '/api': 'http://127.0.0.1:8000' } },
  test: { environment: 'jsdom', setupFiles: './src/test-setup.ts', restoreMocks: true, unstubGlobals: true },
});
