import { defineConfig } from 'vite';

// Relative addresses: the page is served under /ui/ by `berth ui`, by the operator, or behind any prefix of a proxy.
export default defineConfig({
  base: './',
  server: { proxy: { '/api': process.env.BERTH_UI ?? 'http://127.0.0.1:8765' } },
  build: {
    outDir: '../berth_ui/assets',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      // One file each, without a hash: the drift test compares them, and ETags make caches ask.
      output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]', chunkFileNames: '[name].js' },
    },
  },
});
