// What people wrote, drawn as text: paragraphs, line breaks and links to http(s) addresses. Nothing in it is ever taken for markup.
import type { ComponentChildren } from 'preact';

export type Piece = { text: string } | { link: string };

const ADDRESS = /https?:\/\/[^\s<>"'`]+/gi;

/** Closing punctuation is the sentence's, not the address's; a closing bracket only if it was opened outside. */
function trimmed(address: string): string {
  let end = address.replace(/[.,;:!?…。，、！？]+$/, '');
  while (end.endsWith(')') && end.split(')').length > end.split('(').length)
    end = end.slice(0, -1).replace(/[.,;:!?]+$/, '');
  return end;
}

function valid(address: string): boolean {
  try {
    const { protocol, hostname } = new URL(address);
    return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
  } catch {
    return false;
  }
}

/** A line cut into text and addresses. */
export function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of line.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!valid(address)) continue;
    if (match.index > from) found.push({ text: line.slice(from, match.index) });
    found.push({ link: address });
    from = match.index + address.length;
  }
  if (from < line.length) found.push({ text: line.slice(from) });
  return found;
}

/** An address as one reads it: without its scheme, cut when long. */
export function shortAddress(address: string): string {
  const plain = address.replace(/^https?:\/\/(www\.)?/i, '').replace(/\/$/, '');
  return plain.length > 48 ? `${plain.slice(0, 45)}…` : plain;
}

function Line({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, at) =>
        'text' in piece ? (
          piece.text
        ) : (
          <a key={at} href={piece.link} rel="nofollow ugc noopener noreferrer" target="_blank">
            {shortAddress(piece.link)}
          </a>
        ),
      )}
    </>
  );
}

function withBreaks(paragraph: string): ComponentChildren[] {
  return paragraph
    .split('\n')
    .flatMap((line, at) =>
      at === 0 ? [<Line key={at} text={line} />] : [<br key={`b${at}`} />, <Line key={at} text={line} />],
    );
}

export function Text({ text }: { text: string }) {
  return (
    <div class="text">
      {text
        .replace(/\r\n?/g, '\n')
        .split(/\n{2,}/)
        .map((paragraph, at) => (
          <p key={at} dir="auto">
            {withBreaks(paragraph)}
          </p>
        ))}
    </div>
  );
}
