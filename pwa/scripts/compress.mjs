// Puts a .br and a .gz sibling beside every file of the build that gains by it, so that the server compresses nothing at run time.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const GAINS = /\.(html|js|css|svg|json|webmanifest)$/;
const LEAST = 256;

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function brotli(content) {
  return brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

for (const file of files(process.argv[2] ?? 'dist')) {
  if (!GAINS.test(file)) continue;
  const content = readFileSync(file);
  for (const [ending, compressed] of [
    ['.br', brotli(content)],
    ['.gz', gzipSync(content, { level: 9 })],
  ]) {
    if (content.length >= LEAST && compressed.length < content.length) writeFileSync(file + ending, compressed);
    else rmSync(file + ending, { force: true });
  }
}
