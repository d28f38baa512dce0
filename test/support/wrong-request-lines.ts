import { readFileSync } from 'node:fs';

/** A wrong request as it stands in test/fixtures/requests/wrong.txt, and the reply that it must get. */
export interface WrongRequestLine {
  /** Method and URL, as they are sent. */
  readonly line: string;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Stands for what a spec cannot do without. */
const REST = '"run":{"kind":"argv","argv":["true"]},"cwd":"/"';

/**
 * The requests of the file, which are separated by empty lines: `METHOD URL`, then lines `> ` with the body (`...` in a spec stands for
 * what it needs), `>> ` with its content type where it is not JSON, and `< ` with status and code, and the message.
 */
export function readWrongRequests(): WrongRequestLine[] {
  const text = readFileSync(new URL('../fixtures/requests/wrong.txt', import.meta.url), 'utf8');
  return text.split('\n\n').map((block) => {
    const [line = '', ...rest] = block.trimEnd().split('\n');
    const after = (mark: string) => rest.filter((row) => row.startsWith(mark)).map((row) => row.slice(mark.length));
    const [head = '', ...message] = after('< ');
    const [status = '', code = ''] = head.split(' ');
    const [body] = after('> ');
    return {
      line,
      contentType: after('>> ')[0],
      body: body?.replace('...', REST),
      status: Number(status),
      code,
      message: message.join('\n'),
    };
  });
}
