import type { CreateTokenReply, CreateTokenRequest, TokensQuery, TokensReply, TokenView } from '../api/access.ts';
import { SpawnError } from '../core/errors.ts';
import type { Ledger } from './ledger.ts';
import type { Caller } from './use-cases.ts';

export async function createToken(
  _ledger: Ledger,
  _caller: Caller,
  _request: CreateTokenRequest,
): Promise<CreateTokenReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}

export async function listTokens(_ledger: Ledger, _query: TokensQuery): Promise<TokensReply> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}

export async function revokeToken(_ledger: Ledger, _ref: string): Promise<TokenView> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}

export async function authenticate(_ledger: Ledger, _token: string): Promise<Caller> {
  throw new SpawnError('INTERNAL', { why: 'not built yet' });
}
