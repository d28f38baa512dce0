import type { SendMailOptions } from 'nodemailer';
import type { AlertChannel } from '../api/alert.ts';
import type { SecretRef } from '../api/data.ts';
import { isSpawnError } from '../core/errors.ts';
import { readSecret } from '../objects/secrets.ts';
import type { Letter, Sent } from './notify.ts';

/** The server that takes mail. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** From the first byte; by STARTTLS, and not without; not at all. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly user?: string;
  readonly password?: SecretRef;
  /** Address of the sender. */
  readonly from: string;
  /** Certificates in PEM of who may have signed the server's, instead of those that Node knows. */
  readonly ca?: string;
}

const CONNECT_MS = 15_000;
const SILENCE_MS = 30_000;

/** Hands a message to the SMTP server, which then is the one to deliver it. */
export async function sendMail(
  channel: Extract<AlertChannel, { kind: 'email' }>,
  letter: Letter,
  smtp: SmtpSettings,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Sent> {
  let stop = () => {};
  try {
    const { createTransport } = await import('nodemailer');
    const { host, port, tls, user, password, from, ca } = smtp;
    const transport = createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      ...(user === undefined || password === undefined
        ? {}
        : { auth: { user, pass: readSecret(password, 'smtp_password_file', env) } }),
      ...(ca === undefined ? {} : { tls: { ca } }),
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const stopped = new Promise<never>((_, reject) => {
      stop = () => {
        transport.close();
        reject(new Error('the coordinator stopped'));
      };
      signal.addEventListener('abort', stop, { once: true });
    });
    const mail: SendMailOptions = {
      from,
      to: [...channel.to],
      subject: letter.subject,
      text: letter.text,
      messageId: `<${letter.id}@${from.split('@').at(-1)}>`,
      // RFC 3834: nobody's absence shall answer it.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Spawn-Delivery': letter.id },
    };
    const { rejected = [] } = (await Promise.race([transport.sendMail(mail), stopped])) as { rejected?: unknown[] };
    return rejected.length === 0
      ? { kind: 'sent' }
      : { kind: 'sent', note: `the server refused ${rejected.join(', ')}` };
  } catch (error) {
    return judge(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A refusal for good is one of the message or its receivers; all else, a wrong password too, somebody may put right. */
function judge(error: unknown): Sent {
  if (isSpawnError(error)) return { kind: 'later', reason: error.message };
  const { message, code, responseCode = 0 } = error as Error & { code?: string; responseCode?: number };
  const reason = message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
  const forGood = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return { kind: forGood ? 'never' : 'later', reason };
}
