import { expect, test } from 'vitest';
import { eventParser } from './live';

test('events come out whole, however the stream is cut', () => {
  const text = 'retry: 2000\n\nid: 7\nevent: change\ndata: {"a":1}\n\n: alive\n\nid: 8\nevent: change\ndata: {"b":2}\n\n';
  for (let cut = 1; cut < text.length; cut++) {
    const parse = eventParser();
    const events = [...parse(text.slice(0, cut)), ...parse(text.slice(cut))];
    expect(events).toEqual([
      { id: '7', data: '{"a":1}' },
      { id: '8', data: '{"b":2}' },
    ]);
  }
});
