// The build: the client, the page of the API (not part of the first view), and the service worker that knows the client's files.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { OutputBundle } from 'rollup';
import { defineConfig, type Plugin } from 'vitest/config';

const WORKER = 'sw.js';

/** Everything that the chunk of index.html needs, also what it loads later (languages), by walking its imports. */
function filesOf(bundle: OutputBundle): string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const chunk = bundle[name];
    if (found.has(name) || chunk?.type !== 'chunk') return;
    found.add(name);
    for (const css of chunk.viteMetadata?.importedCss ?? []) found.add(css);
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next);
  };
  for (const chunk of Object.values(bundle))
    if (chunk.type === 'chunk' && chunk.isEntry && chunk.name === 'index') visit(chunk.fileName);
  // Icons of an installed app are fetched by the system when it is installed.
  const open = readdirSync('public').filter((file) => !file.endsWith('.png'));
  return [...found, 'index.html', ...open].map((file) => `/${file}`).sort();
}

function contentOf(bundle: OutputBundle, file: string): string | Uint8Array {
  const built = bundle[file.slice(1)];
  if (!built) return readFileSync(`public${file}`);
  return built.type === 'chunk' ? built.code : built.source;
}

function serviceWorker(): Plugin {
  return {
    name: 'folkmoot-service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[WORKER];
        if (worker?.type !== 'chunk') return;
        const files = filesOf(bundle);
        const hash = createHash('sha256');
        for (const file of files) hash.update(file).update(contentOf(bundle, file));
        worker.code = worker.code
          .replace(/JSON\.parse\(["'`]__FILES__["'`]\)/, JSON.stringify(files))
          .replace('__VERSION__', hash.digest('hex').slice(0, 12));
      },
    },
  };
}

/**
 * Swagger UI's pictures are data addresses in its style sheet, which the content security policy does not allow: they become files.
 * It comes behind Vite's own reading of style sheets, which would take the names of the new files for addresses that lead nowhere.
 */
function picturesAsFiles(): Plugin {
  return {
    name: 'folkmoot-pictures-as-files',
    apply: 'build',
    transform(code, id) {
      if (!id.endsWith('swagger-ui.css')) return null;
      const emit = (ending: string, source: string | Buffer): string =>
        `url(__VITE_ASSET__${this.emitFile({ type: 'asset', name: `picture.${ending}`, source })}__)`;
      return code
        .replace(/url\(("?)data:image\/svg\+xml;charset=utf-8,(.*?<\/svg>)\1\)/g, (_, _quote: string, svg: string) =>
          emit('svg', decodeURIComponent(svg.replace(/\\"/g, '"'))),
        )
        .replace(
          /url\(("?)data:image\/(\w+);base64,([\w+/=]+)\1\)/g,
          (_, _quote: string, kind: string, base64: string) => emit(kind, Buffer.from(base64, 'base64')),
        );
    },
  };
}

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  plugins: [picturesAsFiles(), serviceWorker()],
  build: {
    target: 'es2022',
    // Data addresses are not allowed by the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_600,
    rollupOptions: {
      input: { index: 'index.html', docs: 'docs/index.html', sw: 'src/sw/service_worker.ts' },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? WORKER : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/openapi.json': 'http://127.0.0.1:8080' } },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], environment: 'node' } },
      {
        extends: true,
        test: { name: 'browser', include: ['tests/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
    ],
  },
});
