import { isAbsolute } from 'node:path';
import { SpawnError } from '../core/errors.ts';
import { type IpRange, parseIpRange } from '../core/ip-class.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface AlertSettings {
  /** Absent: no mail is sent. */
  readonly smtp: SmtpSetting | undefined;
  /** Addresses that webhooks may reach although they are not public. */
  readonly allow: readonly IpRange[];
  /** Secrets that everybody may refer to: `env:NAME`, `file:PATH`. */
  readonly sharedSecrets: ReadonlySet<string>;
}

interface SmtpSetting {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly from: string;
  readonly user?: string;
  readonly password?: { readonly file: string };
}

const URL_EXPECTED = 'smtps://[USER@]HOST[:PORT], smtp://… (with STARTTLS) or smtp://…?tls=never';
const ADDRESS = /^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,253}$/;

function bad(where: string, expected: string, found: string): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

/**
 * How people are told: `SPAWN_SMTP_URL`, `SPAWN_SMTP_PASSWORD_FILE`, `SPAWN_MAIL_FROM`, `SPAWN_WEBHOOK_ALLOW` and `SPAWN_SHARED_SECRETS`. Read by the
 * coordinator when it starts.
 *
 * @throws BAD_REQUEST
 */
export function readAlertSettings(env: Env): AlertSettings {
  return { smtp: readSmtp(env), allow: readAllow(env), sharedSecrets: readShared(env) };
}

function readSmtp(env: Env): SmtpSetting | undefined {
  const { SPAWN_SMTP_URL: text, SPAWN_SMTP_PASSWORD_FILE: file, SPAWN_MAIL_FROM: from } = env;
  if (!text) return undefined;
  if (!from) bad('SPAWN_MAIL_FROM', 'the address that mail comes from, with SPAWN_SMTP_URL', 'nothing');
  const server = readSmtpUrl(text);
  if ((server.user === undefined) !== !file) {
    const [expected, found] = file
      ? ['SPAWN_SMTP_URL with a user, whose password is in the file of SPAWN_SMTP_PASSWORD_FILE', 'one without']
      : ['SPAWN_SMTP_PASSWORD_FILE, the file with the password of the user in SPAWN_SMTP_URL', 'nothing'];
    bad(file ? 'SPAWN_SMTP_URL' : 'SPAWN_SMTP_PASSWORD_FILE', expected, found);
  }
  if (server.user !== undefined && server.tls === 'none')
    bad('SPAWN_SMTP_URL', 'no user with ?tls=never: the password would be read on the way', 'one');
  return { ...server, from: readMailFrom(env)!, ...(file ? { password: { file: readPasswordFile(file) } } : {}) };
}

/** @throws BAD_REQUEST, which shows nothing that may be a password */
export function readSmtpUrl(text: string, where = 'SPAWN_SMTP_URL'): Omit<SmtpSetting, 'from' | 'password'> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSmtp = url?.protocol === 'smtp:' || url?.protocol === 'smtps:';
  if (url === undefined || !isSmtp || url.hostname === '' || !['', '/'].includes(url.pathname))
    return bad(where, URL_EXPECTED, 'something else');
  if (url.password !== '') bad(where, 'no password: smtp_password_file names the file that has it', 'one');
  const never = url.search === '?tls=never';
  if (url.search !== '' && !(never && url.protocol === 'smtp:')) bad(where, URL_EXPECTED, url.search);
  const implicit = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (implicit ? 465 : never ? 25 : 587) : Number(url.port),
    tls: implicit ? 'implicit' : never ? 'none' : 'starttls',
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
  };
}

/** @throws BAD_REQUEST */
export function readMailFrom({ SPAWN_MAIL_FROM: from }: Env): string | undefined {
  if (!from) return undefined;
  return ADDRESS.test(from) ? from : bad('SPAWN_MAIL_FROM', 'an e-mail address', from);
}

function readPasswordFile(path: string): string {
  return isAbsolute(path) ? path : bad('SPAWN_SMTP_PASSWORD_FILE', 'an absolute path', path);
}

/** @throws BAD_REQUEST */
export function readAllow({ SPAWN_WEBHOOK_ALLOW: text }: Env): IpRange[] {
  return listOf(text).map((each) => {
    const range = parseIpRange(each);
    return range ?? bad('SPAWN_WEBHOOK_ALLOW', 'addresses and ranges, as 10.1.2.3,192.168.0.0/16,::1', each);
  });
}

/** @throws BAD_REQUEST */
export function readShared({ SPAWN_SHARED_SECRETS: text }: Env): Set<string> {
  const named = listOf(text).map((each) =>
    /^env:[A-Za-z_]\w*$|^file:\/./.test(each)
      ? each
      : bad('SPAWN_SHARED_SECRETS', 'env:NAME and file:/PATH, separated by commas', each),
  );
  return new Set(named);
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
