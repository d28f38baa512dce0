import { isAbsolute } from 'node:path';
import { parseAddress } from '../core/address.ts';
import { SpawnError } from '../core/errors.ts';
import { readAllow, readMailFrom, readShared, readSmtpUrl } from './alert-settings.ts';
import { readIgnoreUnsupported, readInstanceSettings, readSandboxSetting } from './instance-settings.ts';
import { readLease } from './lease.ts';
import { readLocalOffer } from './local-offer.ts';
import { readMaxArraySize } from './max-array-size.ts';
import { readSlurmOversize } from './slurm-oversize.ts';

/** One setting: in the file under its name, in the environment as its variable. Docs and checks come from this table. */
export interface Setting {
  readonly name: string;
  readonly variable: string;
  /** What its value is called. */
  readonly type:
    | 'path'
    | 'URL'
    | 'HOST:PORT'
    | 'number'
    | 'duration'
    | 'list'
    | 'domain'
    | 'address'
    | '0 or 1'
    | 'auto, separate or plain'
    | 'refuse, fit or wait';
  /** As the documentation says it; absent: none. */
  readonly usual?: string;
  readonly meaning: string;
  /** @throws SpawnError naming `where` */
  readonly check: (text: string, where: string) => void;
}

function bad(where: string, expected: string, found: string): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

/** In a file a relative path would mean another one from each directory. */
function path(text: string, where: string): void {
  if (!isAbsolute(text)) bad(where, 'an absolute path', text);
}

function url(text: string, where: string): void {
  if (!/^https?:\/\/[^/\s@]+$/.test(text)) bad(where, 'http://HOST:PORT or https://HOST:PORT', text);
}

function offer(variable: string) {
  return (text: string): void => void readLocalOffer({ [variable]: text });
}

export const SETTINGS: readonly Setting[] = [
  {
    name: 'server',
    variable: 'SPAWN_SERVER',
    type: 'URL',
    meaning: 'a coordinator elsewhere, used instead of the embedded one',
    check: url,
  },
  {
    name: 'token_file',
    variable: 'SPAWN_TOKEN_FILE',
    type: 'path',
    meaning: 'a file with the token for it, which nobody else may read',
    check: path,
  },
  {
    name: 'ca_file',
    variable: 'SPAWN_CA_FILE',
    type: 'path',
    meaning: 'certificates in PEM of who may have signed that of the coordinator elsewhere',
    check: path,
  },
  {
    name: 'data_dir',
    variable: 'SPAWN_DATA_DIR',
    type: 'path',
    usual: '$XDG_DATA_HOME/spawn, ~/.local/share/spawn',
    meaning: 'database, logs and scripts of the embedded coordinator; each directory has its own',
    check: path,
  },
  {
    name: 'runtime_dir',
    variable: 'SPAWN_RUNTIME_DIR',
    type: 'path',
    usual: '$XDG_RUNTIME_DIR/spawn, /tmp/spawn-<uid>',
    meaning:
      'where its socket is; only you may enter. A path too long for a socket is replaced by a short one in /tmp/spawn-<uid>',
    check: path,
  },
  {
    name: 'listen',
    variable: 'SPAWN_LISTEN',
    type: 'HOST:PORT',
    meaning: 'where spawn server start listens besides the socket',
    check: (text, where) => void parseAddress(text, where),
  },
  {
    name: 'tls_cert',
    variable: 'SPAWN_TLS_CERT',
    type: 'path',
    meaning: 'the certificate of that listener, in PEM',
    check: path,
  },
  {
    name: 'tls_key',
    variable: 'SPAWN_TLS_KEY',
    type: 'path',
    meaning: 'its private key, in PEM',
    check: path,
  },
  {
    name: 'max_array_size',
    variable: 'SPAWN_MAX_ARRAY_SIZE',
    type: 'number',
    usual: '1000000',
    meaning: 'most tasks in one array; read when the coordinator starts',
    check: (text) => void readMaxArraySize({ SPAWN_MAX_ARRAY_SIZE: text }),
  },
  {
    name: 'lease',
    variable: 'SPAWN_LEASE',
    type: 'duration',
    usual: '30s',
    meaning:
      'how long a worker may be out of touch before what it runs is given to others, from 2s to 1h; read when the coordinator starts',
    check: (text) => void readLease({ SPAWN_LEASE: text }),
  },
  {
    name: 'local_cpus',
    variable: 'SPAWN_LOCAL_CPUS',
    type: 'number',
    usual: 'those of the machine',
    meaning:
      'CPUs that the worker of the embedded coordinator offers; read when the coordinator starts, as the next three',
    check: offer('SPAWN_LOCAL_CPUS'),
  },
  {
    name: 'local_gpus',
    variable: 'SPAWN_LOCAL_GPUS',
    type: 'list',
    usual: 'those it finds',
    meaning: 'GPUs that it offers: how many, or which',
    check: offer('SPAWN_LOCAL_GPUS'),
  },
  {
    name: 'local_resources',
    variable: 'SPAWN_LOCAL_RESOURCES',
    type: 'list',
    meaning: 'named amounts that it offers, as licence=2,scratch=100',
    check: offer('SPAWN_LOCAL_RESOURCES'),
  },
  {
    name: 'bind_cpus',
    variable: 'SPAWN_BIND_CPUS',
    type: '0 or 1',
    usual: '1',
    meaning: 'whether it keeps tasks on their own CPUs',
    check: offer('SPAWN_BIND_CPUS'),
  },
  {
    name: 'ignore_unsupported',
    variable: 'SPAWN_IGNORE_UNSUPPORTED',
    type: '0 or 1',
    usual: '0',
    meaning: 'whether a launch goes on, with a note, without the options that the provider cannot honour',
    check: (text) => void readIgnoreUnsupported({ SPAWN_IGNORE_UNSUPPORTED: text }),
  },
  {
    name: 'dns_domain',
    variable: 'SPAWN_DNS_DOMAIN',
    type: 'domain',
    usual: 'spore.host',
    meaning: 'what names of instances end in; read when the coordinator starts, as the next two',
    check: (text) => void readInstanceSettings({ SPAWN_DNS_DOMAIN: text }),
  },
  {
    name: 'dns_listen',
    variable: 'SPAWN_DNS_LISTEN',
    type: 'HOST:PORT',
    usual: 'a loopback address of its own, port 53 where allowed, else 5300 or any',
    meaning: 'where the DNS server for instances listens; off: nowhere',
    check: (text) => void readInstanceSettings({ SPAWN_DNS_LISTEN: text }),
  },
  {
    name: 'instance_retention',
    variable: 'SPAWN_INSTANCE_RETENTION',
    type: 'duration',
    usual: '7d',
    meaning: 'how long terminated instances stay listed',
    check: (text) => void readInstanceSettings({ SPAWN_INSTANCE_RETENTION: text }),
  },
  {
    name: 'sandbox',
    variable: 'SPAWN_SANDBOX',
    type: 'auto, separate or plain',
    usual: 'auto',
    meaning:
      'how local instances are kept apart: by namespaces where the kernel allows, always, or never; read when their agent starts',
    check: (text) => void readSandboxSetting({ SPAWN_SANDBOX: text }),
  },
  {
    name: 'smtp_url',
    variable: 'SPAWN_SMTP_URL',
    type: 'URL',
    meaning:
      'the server that takes mail of alerts: smtps://[USER@]HOST[:PORT], smtp:// with STARTTLS, smtp://HOST?tls=never without TLS; read when the coordinator starts, as the next four',
    check: (text, where) => void readSmtpUrl(text, where),
  },
  {
    name: 'smtp_password_file',
    variable: 'SPAWN_SMTP_PASSWORD_FILE',
    type: 'path',
    meaning: 'a file with the password of USER',
    check: path,
  },
  {
    name: 'mail_from',
    variable: 'SPAWN_MAIL_FROM',
    type: 'address',
    meaning: 'the address that mail of alerts comes from',
    check: (text) => void readMailFrom({ SPAWN_MAIL_FROM: text }),
  },
  {
    name: 'webhook_allow',
    variable: 'SPAWN_WEBHOOK_ALLOW',
    type: 'list',
    meaning: 'addresses and ranges that webhooks may reach although they are not public, as 10.1.2.3,192.168.0.0/16',
    check: (text) => void readAllow({ SPAWN_WEBHOOK_ALLOW: text }),
  },
  {
    name: 'shared_secrets',
    variable: 'SPAWN_SHARED_SECRETS',
    type: 'list',
    meaning: 'secrets that alerts of everybody may refer to, as env:NAME,file:/PATH; an admin may use any',
    check: (text) => void readShared({ SPAWN_SHARED_SECRETS: text }),
  },
  {
    name: 'slurm_oversize',
    variable: 'SPAWN_SLURM_OVERSIZE',
    type: 'refuse, fit or wait',
    usual: 'refuse',
    meaning:
      'what becomes of a job of sbatch or srun that is larger than any worker: it is refused as Slurm does, cut to the largest worker (CPUs, memory, nodes; never GPUs), or waits for a larger one',
    check: (text) => void readSlurmOversize({ SPAWN_SLURM_OVERSIZE: text }),
  },
];
