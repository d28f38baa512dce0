import type { AlertChannel } from '../api/alert.ts';
import type { IpRange } from '../core/ip-class.ts';
import { runCommand } from './command.ts';
import { type SmtpSettings, sendMail } from './mail.ts';
import type { Letter, Notifier, Sent } from './notify.ts';
import { sendSlack, sendWebhook, type WebhookOptions } from './webhook.ts';

export interface NotifierOptions extends Pick<WebhookOptions, 'ca' | 'resolve'> {
  /** Of this process: what secrets refer to, and what commands get some of. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch ms; default `Date.now`. */
  readonly now?: () => number;
  /** Absent: no mail is sent. */
  readonly smtp?: SmtpSettings | undefined;
  /** Addresses that webhooks may reach although they are not public. */
  readonly allow?: readonly IpRange[];
  /** Of one request to a webhook; default 20 s. */
  readonly timeoutMs?: number;
}

/** Sends by SMTP, HTTP and commands. */
export function openNotifier({
  smtp,
  now = Date.now,
  allow = [],
  timeoutMs = 20_000,
  ...rest
}: NotifierOptions): Notifier {
  const web: WebhookOptions = { ...rest, now, allow, timeoutMs };
  const send = async (channel: AlertChannel, letter: Letter, signal: AbortSignal): Promise<Sent> => {
    switch (channel.kind) {
      case 'email':
        return smtp === undefined
          ? { kind: 'never', reason: 'no SMTP server is set (settings smtp_url and mail_from)' }
          : await sendMail(channel, letter, smtp, rest.env, signal);
      case 'slack':
        return await sendSlack(channel, letter, web, signal);
      case 'webhook':
        return await sendWebhook(channel, letter, web, signal);
      case 'command':
        return await runCommand(channel, letter, rest.env, signal);
      case 'event':
        return { kind: 'sent' };
    }
  };
  const mailDomain = smtp?.from.split('@').at(-1);
  return mailDomain === undefined ? { send } : { send, mailDomain };
}
