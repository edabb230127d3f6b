// A parser of server-sent events, fed with text as it comes (the browser's EventSource cannot send an Authorization header).

export interface ServerEvent {
  id: string | undefined;
  event: string;
  data: string;
}

/** More than any event we are sent; a stream that never ends a line must not fill the phone. */
const MOST = 1_000_000;

export class EventParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  /** The last id seen: it stands for the events behind it too, as the standard has it. */
  lastId: string | undefined;

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    if (this.rest.length > MOST) throw new Error('An event is too long.');
    for (const line of lines) {
      if (line === '') this.close(events);
      else this.field(line);
    }
    return events;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    else if (name === 'data') this.data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.lastId = value;
  }

  private close(events: ServerEvent[]): void {
    if (this.data.length > 0 || this.event === 'reset')
      events.push({ id: this.lastId, event: this.event || 'message', data: this.data.join('\n') });
    this.event = '';
    this.data = [];
  }
}

/** How long to wait before trying again: doubling, with a random part so that not all come back at once. */
export function backoff(tries: number, random: number): number {
  const most = Math.min(60_000, 1_000 * 2 ** Math.min(tries, 10));
  return Math.round(most / 2 + (most / 2) * random);
}
