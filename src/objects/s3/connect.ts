import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Access } from '../../api/data.ts';
import { SpawnError } from '../../core/errors.ts';
import { readSecret } from '../secrets.ts';

type Sdk = typeof import('@aws-sdk/client-s3');

/** The SDK, which is loaded when it is first needed, and a client of it. */
export interface Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

const CONNECT_MS = 10_000;
/** Nothing comes or goes on a connection for so long: it is dead. */
const SILENCE_MS = 60_000;
const MOST_CONNECTIONS = 32;

const QUIET = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * @param env for secrets by reference; what the access leaves out is found as the SDK finds it: variables, profiles, roles
 * @param where for errors: the field that has the access
 * @throws SpawnError BAD_REQUEST, SECRET_MISSING
 */
export async function connect(
  access: S3Access,
  env: Readonly<Record<string, string | undefined>>,
  where: string,
): Promise<Connection> {
  const endpoint = checkEndpoint(access.endpoint, `${where}.endpoint`);
  const credentials = readCredentials(access, env, where);
  const region = access.region ?? (endpoint === undefined ? undefined : (env.AWS_REGION ?? 'us-east-1'));
  const sdk = await import('@aws-sdk/client-s3');
  const agent = { keepAlive: true, maxSockets: MOST_CONNECTIONS };
  const client = new sdk.S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: access.pathStyle ?? endpoint !== undefined,
    followRegionRedirects: endpoint === undefined,
    // Tries again here, where what was done so far is known.
    maxAttempts: 1,
    // Bytes go with their MD5 and a signature over their SHA-256; trailers after a body are not understood everywhere.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: agent,
      httpsAgent: agent,
      logger: QUIET,
    },
    // It would print requests.
    logger: QUIET,
  });
  return { sdk, client };
}

function checkEndpoint(endpoint: string | undefined, where: string): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SpawnError('BAD_REQUEST', { where, expected: 'http://HOST[:PORT] or https://…', found: endpoint });
  }
  if (url.username !== '' || url.password !== '') {
    const expected = 'an address without a name or password (accessKeyId and secretAccessKey have those)';
    throw new SpawnError('BAD_REQUEST', { where, expected, found: `${url.protocol}//…@${url.host}` });
  }
  if (url.search !== '' || url.hash !== '') {
    throw new SpawnError('BAD_REQUEST', { where, expected: 'an address without "?" and "#"', found: endpoint });
  }
  return endpoint;
}

function readCredentials(access: S3Access, env: Readonly<Record<string, string | undefined>>, where: string) {
  const { accessKeyId, secretAccessKey } = access;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const found = accessKeyId === undefined ? 'secretAccessKey alone' : 'accessKeyId alone';
    throw new SpawnError('BAD_REQUEST', { where, expected: 'both accessKeyId and secretAccessKey, or neither', found });
  }
  return {
    accessKeyId: readSecret(accessKeyId, `${where}.accessKeyId`, env),
    secretAccessKey: readSecret(secretAccessKey, `${where}.secretAccessKey`, env),
  };
}
