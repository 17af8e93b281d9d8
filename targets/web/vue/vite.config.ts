import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'";

/** Writes the policy into the built page; the development server needs inline styles, so it goes without. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

export default defineConfig({
  plugins: [vue({ features: { optionsAPI: false } }), contentSecurityPolicy()],
  build: {
    target: 'baseline-widely-available',
    // data: addresses would need exceptions in the policy of the server that serves the page
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 150,
    rolldownOptions: {
      output: {
        // base64 has a hyphen, which servers do not expect in a hash when they tell which files never change
        hashCharacters: 'hex',
        codeSplitting: {
          groups: [
            { name: 'vue', test: /node_modules\/(?:@vue|vue|vue-router)\// },
            { name: 'markdown', test: /node_modules\/(?:marked|dompurify)\// },
          ],
        },
      },
    },
  },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:8000' } },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.spec.ts'],
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    testTimeout: 20_000,
  },
});
