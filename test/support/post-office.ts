import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { PAIRS } from './certificates.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  /** As who it was sent. */
  readonly user: string | undefined;
  readonly secure: boolean;
}

/** A real SMTP server on this machine, which can be killed and brought back. */
export class PostOffice {
  readonly mails: Mail[] = [];
  /** Refuses a receiver with this reply. */
  refuse: (address: string) => { code: number; message: string } | undefined = () => undefined;
  /** Called with each message before it is taken. */
  onData: () => void | Promise<void> = () => {};
  readonly #options: SMTPServerOptions;
  #server: SMTPServer | undefined;
  port = 0;

  /** @param password of the user ada, without whom nothing is taken; absent: everybody may send */
  constructor(options: SMTPServerOptions = {}, password?: string) {
    this.#options = {
      ...PAIRS.a,
      ...(password === undefined ? { disabledCommands: ['AUTH'], authOptional: true } : {}),
      onAuth: (auth, _session, done) =>
        auth.username === 'ada' && auth.password === password ? done(null, { user: 'ada' }) : done(new Error('Wrong')),
      ...options,
    };
  }

  async start(): Promise<void> {
    const server = new SMTPServer({
      ...this.#options,
      logger: false,
      closeTimeout: 1,
      onRcptTo: ({ address }, _session, done) => {
        const refused = this.refuse(address);
        done(refused === undefined ? null : Object.assign(new Error(refused.message), { responseCode: refused.code }));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', async () => {
          await this.onData();
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(chunks).toString('utf8'),
            user: session.user,
            secure: session.secure,
          });
          done();
        });
      },
    });
    server.on('error', () => {});
    server.listen(this.port, '127.0.0.1');
    await once(server.server, 'listening');
    this.port = (server.server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** As a killed process: what is open is cut. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const connection of server.connections) connection.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
